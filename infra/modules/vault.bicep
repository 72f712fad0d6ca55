metadata description = 'Key Vault for the secrets that no identity can replace. Secrets are set by people, never by a deployment.'

import { Access, TextMap } from '../types.bicep'

@description('Name of the vault.')
param name string
@description('Region.')
param location string
@description('Tags.')
param tags TextMap
@description('Who may reach it.')
param access Access
@description('Workspace for audit logs.')
param workspaceId string

resource vault 'Microsoft.KeyVault/vaults@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: tenant().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: 90
    enablePurgeProtection: true
    publicNetworkAccess: access.private && empty(access.addresses) ? 'Disabled' : 'Enabled'
    networkAcls: {
      defaultAction: access.private ? 'Deny' : 'Allow'
      bypass: access.private ? 'None' : 'AzureServices'
      ipRules: [for address in access.addresses: { value: address }]
    }
  }
}

#disable-next-line use-recent-api-versions // the only GA version is 2016-09-01; this preview is the one in general use
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  name: 'to-workspace'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logs: [{ category: 'AuditEvent', enabled: true }]
    metrics: [{ category: 'AllMetrics', enabled: true }]
  }
}

@description('Resource id.')
output id string = vault.id
@description('Address, ends with a slash.')
output uri string = vault.properties.vaultUri
