metadata description = 'The private variant: a network for the app, private endpoints with their DNS, and one fixed address towards Adobe and Dynamics.'

import { TextMap } from '../types.bicep'

@description('Name of the virtual network; starts the other names.')
param name string
@description('Region.')
param location string
@description('Tags.')
param tags TextMap
@description('Address range, /24 or larger.')
param range string
@description('Storage account of the app.')
param storageId string
@description('Key vault.')
param vaultId string
@description('Storage account for files from Campaign; empty if there is none.')
param exportsId string

var appSubnet = 'app'
var endpointSubnet = 'endpoints'
var storageEndpoints = [
  for service in ['blob', 'queue', 'table']: {
    name: service
    group: service
    target: storageId
    zone: 'privatelink.${service}.${environment().suffixes.storage}'
  }
]
var vaultEndpoint = {
  name: 'vault'
  group: 'vault'
  target: vaultId
  zone: replace(environment().suffixes.keyvaultDns, '.vault.', 'privatelink.vaultcore.')
}
var exportsEndpoint = {
  name: 'exports'
  group: 'blob'
  target: exportsId
  zone: 'privatelink.blob.${environment().suffixes.storage}'
}
var endpoints = concat(storageEndpoints, [vaultEndpoint], empty(exportsId) ? [] : [exportsEndpoint])
var zones = concat(map(storageEndpoints, item => item.zone), [vaultEndpoint.zone])

resource address 'Microsoft.Network/publicIPAddresses@2025-09-01' = {
  name: 'pip-${name}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static', publicIPAddressVersion: 'IPv4' }
}

// New networks have no way out of their own; this also gives one address that others can allow.
resource gateway 'Microsoft.Network/natGateways@2025-09-01' = {
  name: 'nat-${name}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIpAddresses: [{ id: address.id }] }
}

resource network 'Microsoft.Network/virtualNetworks@2025-09-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [range] }
    subnets: [
      {
        name: appSubnet
        properties: {
          addressPrefix: cidrSubnet(range, 26, 0)
          defaultOutboundAccess: false
          natGateway: { id: gateway.id }
          delegations: [{ name: 'flex', properties: { serviceName: 'Microsoft.App/environments' } }]
        }
      }
      {
        name: endpointSubnet
        properties: {
          addressPrefix: cidrSubnet(range, 27, 2)
          defaultOutboundAccess: false
          privateEndpointNetworkPolicies: 'Disabled'
        }
      }
    ]
  }
}

resource zone 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for item in zones: {
    name: item
    location: 'global'
    tags: tags
  }
]

resource link 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (item, index) in zones: {
    parent: zone[index]
    name: 'to-${name}'
    location: 'global'
    tags: tags
    properties: { registrationEnabled: false, virtualNetwork: { id: network.id } }
  }
]

resource endpoint 'Microsoft.Network/privateEndpoints@2025-09-01' = [
  for item in endpoints: {
    name: 'pe-${name}-${item.name}'
    location: location
    tags: tags
    properties: {
      subnet: { id: '${network.id}/subnets/${endpointSubnet}' }
      privateLinkServiceConnections: [
        { name: item.name, properties: { privateLinkServiceId: item.target, groupIds: [item.group] } }
      ]
    }
  }
]

resource records 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-09-01' = [
  for (item, index) in endpoints: {
    parent: endpoint[index]
    name: 'default'
    properties: {
      privateDnsZoneConfigs: [
        {
          name: item.name
          properties: { privateDnsZoneId: resourceId('Microsoft.Network/privateDnsZones', item.zone) }
        }
      ]
    }
    dependsOn: [zone]
  }
]

@description('Subnet that the app joins.')
output appSubnetId string = '${network.id}/subnets/${appSubnet}'
@description('Address the app is seen with.')
output outboundAddress string = address.properties.ipAddress
