metadata description = 'The one identity of the app: user-assigned, so that its roles exist before the app starts.'

import { TextMap } from '../types.bicep'

@description('Name of the identity.')
param name string
@description('Region.')
param location string
@description('Tags.')
param tags TextMap

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: name
  location: location
  tags: tags
}

@description('Resource id.')
output id string = identity.id
@description('Object id that roles are assigned to.')
output principalId string = identity.properties.principalId
@description('Client id that SDKs ask for tokens with.')
output clientId string = identity.properties.clientId
