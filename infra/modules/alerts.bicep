metadata description = 'What somebody must look at. Queries are in ../queries, runbooks in docs/operations.md under the same names.'

import { TextMap } from '../types.bicep'

@description('Name of the deployment; starts the alerts\' names.')
param name string
@description('Region.')
param location string
@description('Tags.')
param tags TextMap
@description('Application Insights that is asked.')
param insightsId string
@description('Receiver; empty: none.')
param email string
@description('Address of docs/operations.md.')
param runbook string
@description('Minutes without a pull.')
param silentMinutes int
@description('Minutes a live change may wait.')
param backlogMinutes int
@description('Minutes an opt-out may be on its way.')
param consentMinutes int
@description('Hours a poison queue may hold something.')
param poisonHours int
@description('Percent of the compared records that may differ in Campaign.')
param differPercent int

var alerts = [
  {
    id: 'no-successful-pull'
    title: 'No successful pull'
    severity: 1
    window: 'P1D'
    by: ['mapping']
    query: replace(loadTextContent('../queries/no-successful-pull.kql'), '<minutes>', string(silentMinutes))
  }
  {
    id: 'access-refused'
    title: 'Dynamics or Campaign refuses access'
    severity: 1
    window: 'PT15M'
    by: ['mapping', 'code']
    query: loadTextContent('../queries/access-refused.kql')
  }
  {
    id: 'flow-stopped'
    title: 'A flow waits until something is mended'
    severity: 1
    window: 'PT15M'
    by: ['mapping']
    query: loadTextContent('../queries/flow-stopped.kql')
  }
  {
    id: 'consent-late'
    title: 'Opt-outs are late'
    severity: 1
    window: 'PT15M'
    by: ['mapping']
    query: replace(loadTextContent('../queries/consent-late.kql'), '<minutes>', string(consentMinutes))
  }
  {
    id: 'live-changes-wait'
    title: 'Live changes wait too long'
    severity: 2
    window: 'PT15M'
    by: []
    query: replace(loadTextContent('../queries/live-changes-wait.kql'), '<minutes>', string(backlogMinutes))
  }
  {
    id: 'poison-queue-not-drained'
    title: 'A poison queue is not drained'
    severity: 2
    window: 'P1D'
    by: ['lane']
    query: replace(loadTextContent('../queries/poison-queue-not-drained.kql'), '<hours>', string(poisonHours))
  }
  {
    id: 'unreadable-message'
    title: 'A message could not be read'
    severity: 2
    window: 'PT1H'
    by: ['lane']
    query: loadTextContent('../queries/unreadable-message.kql')
  }
  {
    id: 'records-quarantined'
    title: 'Records are quarantined'
    severity: 3
    window: 'PT15M'
    by: ['mapping']
    query: loadTextContent('../queries/records-quarantined.kql')
  }
  {
    id: 'deletes-wait-for-approval'
    title: 'Deletes wait for approval'
    severity: 3
    window: 'PT15M'
    by: ['mapping']
    query: loadTextContent('../queries/deletes-wait-for-approval.kql')
  }
  {
    id: 'budget-nearly-used'
    title: 'Four fifths of the call budget are used'
    severity: 3
    window: 'PT1H'
    by: []
    query: loadTextContent('../queries/budget-nearly-used.kql')
  }
  {
    id: 'records-differ'
    title: 'Campaign does not hold what Dynamics says'
    severity: 3
    window: 'P1D'
    by: ['mapping']
    query: replace(loadTextContent('../queries/records-differ.kql'), '<percent>', string(differPercent))
  }
]

resource receivers 'Microsoft.Insights/actionGroups@2023-01-01' = if (!empty(email)) {
  name: 'ag-${name}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: take(name, 12)
    emailReceivers: [{ name: 'operators', emailAddress: email, useCommonAlertSchema: true }]
  }
}

resource alert 'Microsoft.Insights/scheduledQueryRules@2026-03-01' = [
  for item in alerts: {
    name: 'alert-${name}-${item.id}'
    location: location
    tags: tags
    kind: 'LogAlert'
    properties: {
      displayName: '${name}: ${item.title}'
      description: 'Runbook: ${runbook}#${item.id}'
      severity: item.severity
      enabled: true
      scopes: [insightsId]
      evaluationFrequency: 'PT5M'
      windowSize: item.window
      autoMitigate: true
      criteria: {
        allOf: [
          {
            query: item.query
            timeAggregation: 'Count'
            operator: 'GreaterThan'
            threshold: 0
            dimensions: [for column in item.by: { name: column, operator: 'Include', values: ['*'] }]
            failingPeriods: { numberOfEvaluationPeriods: 1, minFailingPeriodsToAlert: 1 }
          }
        ]
      }
      actions: {
        actionGroups: empty(email) ? [] : [receivers.id]
        customProperties: { runbook: '${runbook}#${item.id}' }
      }
    }
  }
]
