// Types that several modules share.

@export()
@description('Texts by name.')
type TextMap = {
  @description('One text.')
  *: string
}

@export()
@description('Numbers by name.')
type CountMap = {
  @description('One number.')
  *: int
}

@export()
@sealed()
@description('Somebody in Entra who gets a role.')
type Principal = {
  @description('Object id of the user, group or service principal.')
  id: string
  @description('Its kind; telling it avoids a race with Entra replication.')
  type: 'User' | 'Group' | 'ServicePrincipal'
}

@export()
@sealed()
@description('What the network around a resource lets in.')
type Access = {
  @description('Private endpoints only, default deny.')
  private: bool
  @description('Public addresses (single or CIDR) of people and pipelines that may reach it beside the private endpoints.')
  addresses: string[]
}
