using '../../../infra/main.bicep'

param name = 'acssync'
param location = 'westeurope'
param dynamicsUrl = 'https://contoso.crm4.dynamics.com'
param campaignUrl = 'https://mc.adobe.io/contoso/campaign'
param campaignClientId = 'adobe-client-id'
param alertEmail = 'operators@example.com'
