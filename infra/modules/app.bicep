metadata description = 'The function app on its Flex Consumption plan.'

import { CountMap, TextMap } from '../types.bicep'

@description('Name of the app.')
param name string
@description('Name of its plan.')
param planName string
@description('Region.')
param location string
@description('Tags.')
param tags TextMap
@description('Resource id of the identity the app runs as.')
param identityId string
@description('Its client id.')
param identityClientId string
@description('Container the code is pushed to.')
param packageUrl string
@description('Subnet to join; empty: none.')
param subnetId string
@description('Python version.')
param pythonVersion string
@description('Memory of an instance.')
param instanceMemoryMB int
@description('Most instances.')
param maximumInstanceCount int
@description('Instances kept ready, by function name.')
param alwaysReady CountMap
@description('Spread over zones.')
param zoneRedundant bool
@description('App registration that guards the HTTP functions; empty: none.')
param authClientId string
@description('Applications that may call; empty: all of the tenant.')
param authCallers string[]
@description('App settings.')
param settings TextMap

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: planName
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: { reserved: true, zoneRedundant: zoneRedundant }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: name
  location: location
  tags: union(tags, { 'azd-service-name': 'sync' })
  kind: 'functionapp,linux'
  identity: { type: 'UserAssigned', userAssignedIdentities: { '${identityId}': {} } }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    keyVaultReferenceIdentity: identityId
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    siteConfig: {
      ftpsState: 'Disabled'
      http20Enabled: true
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      remoteDebuggingEnabled: false
    }
    functionAppConfig: {
      runtime: { name: 'python', version: pythonVersion }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        maximumInstanceCount: maximumInstanceCount
        alwaysReady: map(filter(items(alwaysReady), item => item.value > 0), item => {
          name: 'function:${item.key}'
          instanceCount: zoneRedundant ? max(item.value, 2) : item.value
        })
      }
      deployment: {
        storage: {
          type: 'blobContainer'
          value: packageUrl
          authentication: { type: 'UserAssignedIdentity', userAssignedIdentityResourceId: identityId }
        }
      }
    }
  }
}

resource appSettings 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'appsettings'
  properties: union(settings, { AZURE_CLIENT_ID: identityClientId })
}

resource publishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

resource transfer 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

resource auth 'Microsoft.Web/sites/config@2025-03-01' = if (!empty(authClientId)) {
  parent: app
  name: 'authsettingsV2'
  properties: {
    platform: { enabled: true }
    globalValidation: { requireAuthentication: true, unauthenticatedClientAction: 'Return401' }
    httpSettings: { requireHttps: true }
    identityProviders: {
      azureActiveDirectory: {
        enabled: true
        registration: {
          clientId: authClientId
          openIdIssuer: '${environment().authentication.loginEndpoint}${tenant().tenantId}/v2.0'
        }
        validation: {
          allowedAudiences: [authClientId, 'api://${authClientId}']
          defaultAuthorizationPolicy: empty(authCallers) ? {} : { allowedApplications: authCallers }
        }
      }
    }
  }
}

@description('Name of the app.')
output name string = app.name
@description('Host name of the app.')
output hostName string = app.properties.defaultHostName
