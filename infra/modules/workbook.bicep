metadata description = 'The operators\' workbook.'

import { TextMap } from '../types.bicep'

@description('Name of the deployment.')
param name string
@description('Region.')
param location string
@description('Tags.')
param tags TextMap
@description('Application Insights the workbook reads.')
param insightsId string

resource workbook 'Microsoft.Insights/workbooks@2023-06-01' = {
  name: guid(resourceGroup().id, name, 'sync-workbook')
  location: location
  tags: tags
  kind: 'shared'
  properties: {
    displayName: 'Sync operations (${name})'
    category: 'workbook'
    sourceId: insightsId
    serializedData: loadTextContent('../workbook.json')
  }
}
