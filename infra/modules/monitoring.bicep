metadata description = 'Application Insights on a Log Analytics workspace; both accept Entra tokens only.'

import { TextMap } from '../types.bicep'

@description('Name of the Log Analytics workspace.')
param workspaceName string
@description('Name of the Application Insights resource.')
param insightsName string
@description('Region.')
param location string
@description('Tags.')
param tags TextMap
@description('Days that logs are kept.')
param retentionDays int

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: workspaceName
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionDays
    features: { disableLocalAuth: true, enableLogAccessUsingOnlyResourcePermissions: true }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: insightsName
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    DisableLocalAuth: true
    RetentionInDays: contains([30, 60, 90, 120, 180, 270, 365, 550, 730], retentionDays) ? retentionDays : 90
  }
}

@description('Resource id of the workspace.')
output workspaceId string = workspace.id
@description('Resource id of Application Insights.')
output insightsId string = insights.id
@description('Where telemetry goes; not a secret, since local authentication is off.')
output connectionString string = insights.properties.ConnectionString
