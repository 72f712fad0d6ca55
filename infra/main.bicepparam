// Values come from the environment (`export` before `az`, or `azd env set`), so that nobody edits this file.
using 'main.bicep'

param name = readEnvironmentVariable('SYNC_NAME', 'acssync')
param dynamicsUrl = readEnvironmentVariable('DYNAMICS_URL')
param campaignUrl = readEnvironmentVariable('CAMPAIGN_URL')
param campaignClientId = readEnvironmentVariable('CAMPAIGN_CLIENT_ID')
param alertEmail = readEnvironmentVariable('ALERT_EMAIL', '')
