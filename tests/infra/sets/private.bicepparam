using '../../../infra/main.bicep'

// Everything switched on: private network, exports, own app registration, people, guarded HTTP functions.
param name = 'acssync'
param location = 'westeurope'
param tags = { owner: 'crm-team' }
param dynamicsUrl = 'https://contoso.crm4.dynamics.com'
param dynamicsClientId = '11111111-1111-1111-1111-111111111111'
param campaignUrl = 'https://mc.adobe.io/contoso/campaign'
param campaignClientId = 'adobe-client-id'
param settings = { CAMPAIGN_LIMIT: '9000', CAMPAIGN_ADDRESSING: 'key' }
param zoneRedundant = true
param privateNetwork = true
param operators = [{ id: '22222222-2222-2222-2222-222222222222', type: 'Group' }]
param secretOfficers = [{ id: '33333333-3333-3333-3333-333333333333', type: 'User' }]
param authClientId = '44444444-4444-4444-4444-444444444444'
param authCallers = ['55555555-5555-5555-5555-555555555555']
param alertEmail = 'operators@example.com'
param deployExports = true
param exportsAddresses = ['203.0.113.10']
