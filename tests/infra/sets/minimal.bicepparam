using '../../../infra/main.bicep'

// What is required, and nothing kept ready.
param name = 'acs'
param location = 'westeurope'
param dynamicsUrl = 'https://contoso.crm4.dynamics.com'
param campaignUrl = 'https://mc.adobe.io/contoso/campaign'
param campaignClientId = 'adobe-client-id'
param alwaysReadyPull = 0
param alwaysReadyLive = 0
param storageSku = 'Standard_LRS'
