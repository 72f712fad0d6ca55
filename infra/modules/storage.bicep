metadata description = 'The app\'s storage account: queues, tables, the package container. No account keys, no public blobs.'

import { Access, TextMap } from '../types.bicep'

@description('Name of the account.')
param name string
@description('Region.')
param location string
@description('Tags.')
param tags TextMap
@description('Redundancy.')
param sku string
@description('Queues.')
param queues string[]
@description('Tables.')
param tables string[]
@description('Blob containers.')
param containers string[]
@description('Who may reach it.')
param access Access
@description('Workspace for metrics and logs.')
param workspaceId string
@description('Whether to log every read, write and delete.')
param logs bool

resource account 'Microsoft.Storage/storageAccounts@2025-08-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: sku }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    publicNetworkAccess: access.private && empty(access.addresses) ? 'Disabled' : 'Enabled'
    supportsHttpsTrafficOnly: true
    networkAcls: {
      defaultAction: access.private ? 'Deny' : 'Allow'
      bypass: access.private ? 'None' : 'AzureServices'
      ipRules: [for address in access.addresses: { value: address, action: 'Allow' }]
    }
  }
}

resource blobs 'Microsoft.Storage/storageAccounts/blobServices@2025-08-01' = {
  parent: account
  name: 'default'
  properties: {
    deleteRetentionPolicy: { enabled: true, days: 7 }
    containerDeleteRetentionPolicy: { enabled: true, days: 7 }
  }
}

resource container 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-08-01' = [
  for item in containers: {
    parent: blobs
    name: item
    properties: { publicAccess: 'None' }
  }
]

resource queueService 'Microsoft.Storage/storageAccounts/queueServices@2025-08-01' = {
  parent: account
  name: 'default'
}

resource queue 'Microsoft.Storage/storageAccounts/queueServices/queues@2025-08-01' = [
  for item in queues: {
    parent: queueService
    name: item
  }
]

resource tableService 'Microsoft.Storage/storageAccounts/tableServices@2025-08-01' = {
  parent: account
  name: 'default'
}

resource table 'Microsoft.Storage/storageAccounts/tableServices/tables@2025-08-01' = [
  for item in tables: {
    parent: tableService
    name: item
  }
]

var logged = [
  { category: 'StorageRead', enabled: logs }
  { category: 'StorageWrite', enabled: logs }
  { category: 'StorageDelete', enabled: logs }
]

#disable-next-line use-recent-api-versions // the only GA version is 2016-09-01; this preview is the one in general use
resource blobDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: blobs
  properties: { workspaceId: workspaceId, logs: logged, metrics: [{ category: 'Transaction', enabled: true }] }
}

#disable-next-line use-recent-api-versions // the only GA version is 2016-09-01; this preview is the one in general use
resource queueDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: queueService
  properties: { workspaceId: workspaceId, logs: logged, metrics: [{ category: 'Transaction', enabled: true }] }
}

#disable-next-line use-recent-api-versions // the only GA version is 2016-09-01; this preview is the one in general use
resource tableDiagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: tableService
  properties: { workspaceId: workspaceId, logs: logged, metrics: [{ category: 'Transaction', enabled: true }] }
}

@description('Resource id.')
output id string = account.id
@description('Blob address.')
output blobEndpoint string = account.properties.primaryEndpoints.blob
@description('Queue address.')
output queueEndpoint string = account.properties.primaryEndpoints.queue
@description('Table address.')
output tableEndpoint string = account.properties.primaryEndpoints.table
