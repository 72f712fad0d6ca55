metadata description = 'Dynamics 365 Sales to Adobe Campaign: everything the sync needs in one resource group.'

targetScope = 'resourceGroup'

import { Tunables, defaults } from 'settings.bicep'
import { Access, Principal, TextMap } from 'types.bicep'

@description('Region for every resource.')
param location string = resourceGroup().location

@description('Short name of lower-case letters and digits: starts every resource name.')
@minLength(3)
@maxLength(11)
param name string

@description('Tags for every resource.')
param tags TextMap = {}

// --- the two systems ---

@description('The Dynamics environment, without a path: https://<org>.crm<n>.dynamics.com')
param dynamicsUrl string

@description('Entra tenant of the Dynamics environment.')
param dynamicsTenantId string = tenant().tenantId

@description('App registration that reaches Dynamics with the vault secret dynamics-client-secret. Empty: the app uses its own managed identity and there is no secret.')
param dynamicsClientId string = ''

@description('The Campaign API: https://mc.adobe.io/<organization>/campaign')
param campaignUrl string

@description('Client id (API key) of the project in the Adobe Developer Console; its secret is the vault secret campaign-client-secret.')
param campaignClientId string

@description('App settings to change from their defaults, by name; docs/settings.md explains each.')
param settings Tunables = {}

// --- size ---

@description('Python of the app.')
@allowed(['3.11', '3.12', '3.13'])
param pythonVersion string = '3.13'

@description('Memory of an instance in MB; 2048 is one core.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 2048

@description('Most instances the platform may start; 40 is the least it accepts. The call budget is kept whatever this is.')
@minValue(40)
@maxValue(1000)
param maximumInstanceCount int = 40

@description('Instances that are always ready for the pull; 0 costs nothing while idle and may start slowly.')
@minValue(0)
@maxValue(10)
param alwaysReadyPull int = 1

@description('Instances that are always ready for the live lane; 0 costs nothing while idle and delays the first change after a quiet time.')
@minValue(0)
@maxValue(10)
param alwaysReadyLive int = 1

@description('Spread instances over availability zones; always-ready counts above 0 become at least 2.')
param zoneRedundant bool = false

@description('Redundancy of the storage account.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = 'Standard_ZRS'

// --- network and people ---

@description('Private endpoints and a virtual network; storage and vault then deny everything else.')
param privateNetwork bool = false

@description('Address range of the virtual network, /24 or larger.')
param networkRange string = '10.80.0.0/24'

@description('With privateNetwork: public addresses of people and pipelines that may still reach storage and vault. Empty closes public access altogether.')
param adminAddresses string[] = []

@description('Who runs `python -m sync`: gets queue and table data of the app and read access to its logs.')
param operators Principal[] = []

@description('Who sets and rotates the secrets in the vault.')
param secretOfficers Principal[] = []

@description('Client id of an Entra app registration that guards the HTTP functions. Empty: function keys alone.')
param authClientId string = ''

@description('With authClientId: client ids of the applications that may call. Empty: every application of the tenant that gets a token for it.')
param authCallers string[] = []

// --- watching ---

@description('Address that receives alerts. Empty: alerts are raised and nobody is written to.')
param alertEmail string = ''

@description('Where the runbooks are readable for whoever gets an alert: the address of docs/operations.md.')
param runbook string = 'docs/operations.md'

@description('Alert when no pull succeeded for so many minutes.')
@minValue(5)
@maxValue(1000)
param silentMinutes int = 10

@description('Alert when a live change has waited for so many minutes.')
@minValue(1)
@maxValue(1000)
param backlogMinutes int = 15

@description('Alert when an opt-out may be on its way for so many minutes.')
@minValue(2)
@maxValue(1000)
param consentMinutes int = 5

@description('Alert when a poison queue was not empty for so many hours; the platform drops poison messages after 7 days.')
@minValue(1)
@maxValue(23)
param poisonHours int = 12

@description('Alert when more than this share of the records that a comparison looked at is missing, edited or extra in Campaign.')
@minValue(0)
@maxValue(100)
param differPercent int = 1

@description('Days that logs are kept.')
@minValue(30)
@maxValue(730)
param retentionDays int = 90

@description('Log every read, write and delete on storage. Costs more than the sync itself under load.')
param storageLogs bool = false

// --- email events ---

@description('A second storage account for the log exports that Campaign writes: switches the events flow on. Needs privateNetwork: its firewall lets in Campaign and private endpoints only.')
param deployExports bool = false

@description('Public addresses Campaign writes its files from.')
param exportsAddresses string[] = []

@description('Client ids of further application users that write events, with commas; their secrets are the vault secret events-users-secret, in the same order.')
param eventsUserIds string = ''

// Kept equal to sync/storage/account.py by a test.
var queues = [
  'consent'
  'consent-poison'
  'live'
  'live-poison'
  'backfill'
  'backfill-poison'
  'backfill-hold'
  'paused'
  'control'
  'control-poison'
  'events'
  'events-poison'
]
var tables = [
  'watermarks'
  'control'
  'mappings'
  'ledger'
  'parked'
  'history'
  'budget'
  'counters'
  'links'
  'consents'
  'consentjournal'
  'events'
  'exports'
  'parkedevents'
  'blocked'
  'findings'
]
var packageContainer = 'app-package'

var token = uniqueString(resourceGroup().id, name)
var names = {
  identity: 'id-${name}-${token}'
  storage: take('st${name}${token}', 24)
  exports: take('ex${name}${token}', 24)
  vault: take('kv-${name}-${token}', 24)
  workspace: 'log-${name}-${token}'
  insights: 'appi-${name}-${token}'
  plan: 'plan-${name}-${token}'
  app: 'func-${name}-${token}'
  network: 'vnet-${name}-${token}'
}
var access Access = { private: privateNetwork, addresses: adminAddresses }
var refusal = 'deployExports needs privateNetwork: without it the app cannot pass the firewall of that account.'
var exportsWanted = deployExports && !privateNetwork ? fail(refusal) : deployExports

module identity 'modules/identity.bicep' = {
  name: 'identity'
  params: { name: names.identity, location: location, tags: tags }
}

module monitoring 'modules/monitoring.bicep' = {
  name: 'monitoring'
  params: {
    workspaceName: names.workspace
    insightsName: names.insights
    location: location
    tags: tags
    retentionDays: retentionDays
  }
}

module storage 'modules/storage.bicep' = {
  name: 'storage'
  params: {
    name: names.storage
    location: location
    tags: tags
    sku: storageSku
    queues: queues
    tables: tables
    containers: [packageContainer]
    access: access
    workspaceId: monitoring.outputs.workspaceId
    logs: storageLogs
  }
}

module vault 'modules/vault.bicep' = {
  name: 'vault'
  params: {
    name: names.vault
    location: location
    tags: tags
    access: access
    workspaceId: monitoring.outputs.workspaceId
  }
}

module exports 'modules/exports.bicep' = if (exportsWanted) {
  name: 'exports'
  params: {
    name: names.exports
    location: location
    tags: tags
    sku: storageSku
    addresses: exportsAddresses
    identityName: names.identity
    workspaceId: monitoring.outputs.workspaceId
  }
  dependsOn: [identity]
}

module roles 'modules/roles.bicep' = {
  name: 'roles'
  params: {
    storageName: names.storage
    vaultName: names.vault
    insightsName: names.insights
    workspaceName: names.workspace
    identityName: names.identity
    operators: operators
    secretOfficers: secretOfficers
  }
  dependsOn: [identity, storage, vault, monitoring]
}

module network 'modules/network.bicep' = if (privateNetwork) {
  name: 'network'
  params: {
    name: names.network
    location: location
    tags: tags
    range: networkRange
    storageId: storage.outputs.id
    vaultId: vault.outputs.id
    exportsId: exportsWanted ? exports!.outputs.id : ''
  }
}

// What the app finds there is the secret itself: the platform resolves the reference with the app's identity.
var campaignSecret = '@Microsoft.KeyVault(SecretUri=${vault.outputs.uri}secrets/campaign-client-secret)'
var dynamicsSecret = '@Microsoft.KeyVault(SecretUri=${vault.outputs.uri}secrets/dynamics-client-secret)'
var eventsSecret = '@Microsoft.KeyVault(SecretUri=${vault.outputs.uri}secrets/events-users-secret)'

module app 'modules/app.bicep' = {
  name: 'app'
  params: {
    name: names.app
    planName: names.plan
    location: location
    tags: tags
    identityId: identity.outputs.id
    identityClientId: identity.outputs.clientId
    packageUrl: '${storage.outputs.blobEndpoint}${packageContainer}'
    subnetId: privateNetwork ? network!.outputs.appSubnetId : ''
    pythonVersion: pythonVersion
    instanceMemoryMB: instanceMemoryMB
    maximumInstanceCount: maximumInstanceCount
    alwaysReady: { pull_changes: alwaysReadyPull, apply_live: alwaysReadyLive }
    zoneRedundant: zoneRedundant
    authClientId: authClientId
    authCallers: authCallers
    settings: union(
      defaults,
      settings,
      {
        AzureWebJobsStorage__credential: 'managedidentity'
        AzureWebJobsStorage__clientId: identity.outputs.clientId
        AzureWebJobsStorage__blobServiceUri: storage.outputs.blobEndpoint
        AzureWebJobsStorage__queueServiceUri: storage.outputs.queueEndpoint
        AzureWebJobsStorage__tableServiceUri: storage.outputs.tableEndpoint
        APPLICATIONINSIGHTS_CONNECTION_STRING: monitoring.outputs.connectionString
        APPLICATIONINSIGHTS_AUTHENTICATION_STRING: 'ClientId=${identity.outputs.clientId};Authorization=AAD'
        DYNAMICS_URL: dynamicsUrl
        DYNAMICS_TENANT_ID: dynamicsTenantId
        DYNAMICS_CLIENT_ID: empty(dynamicsClientId) ? identity.outputs.clientId : dynamicsClientId
        CAMPAIGN_URL: campaignUrl
        CAMPAIGN_CLIENT_ID: campaignClientId
        CAMPAIGN_CLIENT_SECRET: campaignSecret
      },
      empty(dynamicsClientId) ? {} : { DYNAMICS_CLIENT_SECRET: dynamicsSecret },
      exportsWanted ? { EVENTS_CONTAINER: 'exports' } : {},
      exportsWanted ? { EVENTS_BLOB_URI: exports!.outputs.blobEndpoint } : {},
      empty(eventsUserIds) ? {} : { EVENTS_USER_IDS: eventsUserIds },
      empty(eventsUserIds) ? {} : { EVENTS_USERS_SECRET: eventsSecret }
    )
  }
  // Roles take minutes to be in force: the app must not start before they are assigned.
  dependsOn: [roles]
}

module alerts 'modules/alerts.bicep' = {
  name: 'alerts'
  params: {
    name: name
    location: location
    tags: tags
    insightsId: monitoring.outputs.insightsId
    email: alertEmail
    runbook: runbook
    silentMinutes: silentMinutes
    backlogMinutes: backlogMinutes
    consentMinutes: consentMinutes
    poisonHours: poisonHours
    differPercent: differPercent
  }
}

module workbook 'modules/workbook.bicep' = {
  name: 'workbook'
  params: { name: name, location: location, tags: tags, insightsId: monitoring.outputs.insightsId }
}

@description('Name of the function app: where the code is pushed to.')
output functionAppName string = app.outputs.name

@description('Address of the health function; it wants a function key, and a token if authClientId is set.')
output healthUrl string = 'https://${app.outputs.hostName}/api/health'

@description('Name of the vault that the secrets go into.')
output keyVaultName string = names.vault

@description('Name of the storage account that holds queues and tables.')
output storageAccountName string = names.storage

@description('Table address, for `python -m sync` from a workstation.')
output tableEndpoint string = storage.outputs.tableEndpoint

@description('Queue address, for `python -m sync` from a workstation.')
output queueEndpoint string = storage.outputs.queueEndpoint

@description('Client id of the managed identity: the application user to create in Dynamics when dynamicsClientId is empty.')
output identityClientId string = identity.outputs.clientId

@description('Name of the Application Insights resource: logs, alerts, workbook.')
output applicationInsightsName string = names.insights

@description('Public address that Adobe and Dynamics see with privateNetwork; empty without.')
output outboundAddress string = privateNetwork ? network!.outputs.outboundAddress : ''

@description('Name of the storage account for files from Campaign; empty without deployExports.')
output exportsAccountName string = exportsWanted ? names.exports : ''
