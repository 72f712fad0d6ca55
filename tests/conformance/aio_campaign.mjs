// Drives Adobe's own client, npm @adobe/aio-lib-campaign-standard, against a Campaign look-alike.
//
//   node aio_campaign.mjs http://127.0.0.1:PORT
//
// The client is resolved from the working directory. The look-alike must be a fresh one with its default credentials.
// Prints `ok <call>` per call named in README.md; the first failure is printed as `failed <call>: <why>`, exit 1.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const origin = process.argv[2]
if (!origin) {
  console.error('usage: aio_campaign.mjs http://127.0.0.1:PORT')
  process.exit(2)
}

const require = createRequire(join(process.cwd(), 'package.json'))
const PACKAGE = '@adobe/aio-lib-campaign-standard'
require(`${PACKAGE}/spec/api.json`).servers[0].url = `${origin}/{ORGANIZATION}/campaign`
const { init } = require(PACKAGE)

const TENANT = 'local'
const API_KEY = 'local-campaign'
const SECRET = 'local-campaign-secret'

async function accessToken () {
  const form = { client_id: API_KEY, client_secret: SECRET, grant_type: 'client_credentials', scope: 'openid,AdobeID' }
  const response = await fetch(`${origin}/ims/token/v3`, { method: 'POST', body: new URLSearchParams(form) })
  assert.equal(response.status, 200)
  return (await response.json()).access_token
}

async function command (name, body) {
  const response = await fetch(`${origin}/_sandbox/${name}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body)
  })
  assert.equal(response.status, 200, `command ${name}`)
  return response.json()
}

async function call (name, work) {
  try {
    await work()
  } catch (error) {
    console.error(`failed ${name}: ${error.stack ?? error}`)
    process.exit(1)
  }
  console.log(`ok ${name}`)
}

const rejects = (promise, pattern) => assert.rejects(promise, error => {
  assert.match(String(error.message), pattern)
  return true
})

// The client reads plain text as YAML. The documented text of a duplicate key holds `: `, which is no YAML scalar;
// the client then reports the bare status.
const UNREADABLE = /Internal Server Error[^]*status: 500/

const token = await accessToken()
const client = await init(TENANT, API_KEY, token)
const ID = '0f0e0d0c-0000-4000-8000-000000000001'
let profile, service, vehicle

// Profiles

await call('createProfile', async () => {
  const { status, body } = await client.createProfile({
    externalId: ID, firstName: 'Ada', email: 'ada@example.com', location: { city: 'London' }
  })
  assert.equal(status, 201)
  assert.match(body.PKey, /^@/)
  assert.equal(body.email, 'ada@example.com')
  assert.equal(body.gender, 'unknown')
  assert.ok(body.href.startsWith(origin))
  profile = body
})

await call('getProfile', async () => {
  const { status, body } = await client.getProfile(profile.PKey)
  assert.equal(status, 200)
  assert.deepEqual(body, profile)
})

await call('updateProfile', async () => {
  const { status, body } = await client.updateProfile(profile.PKey, { lastName: 'Lovelace' })
  assert.equal(status, 200)
  assert.deepEqual(body, { PKey: profile.PKey, href: profile.href })
  const read = await client.getProfile(profile.PKey)
  assert.equal(read.body.lastName, 'Lovelace')
  assert.equal(read.body.firstName, 'Ada')
})

await call('getAllProfiles', async () => {
  const { body } = await client.getAllProfiles()
  assert.deepEqual(body.content.map(row => row.PKey), [profile.PKey])
  assert.equal(body.count.value, 1)
  assert.equal(body.next, undefined)
})

await call('getAllProfiles: filter byEmail', async () => {
  const found = await client.getAllProfiles({ filters: ['byEmail'], email: 'ada@example.com' })
  assert.equal(found.body.content.length, 1)
  const none = await client.getAllProfiles({ filters: ['byEmail'], email: 'nobody@example.com' })
  assert.deepEqual(none.body.content, [])
})

await call('getAllProfiles: filter byText with filterType', async () => {
  const { body } = await client.getAllProfiles({ filters: ['byText'], text: 'Love', filterType: 'lastName' })
  assert.equal(body.content.length, 1)
})

await call('getAllProfiles: lineCount, order, descendingSort, next.href', async () => {
  for (const number of [1, 2, 3]) await client.createProfile({ externalId: `x-${number}`, email: `z${number}@example.com` })
  const first = await client.getAllProfiles({ lineCount: 2, order: 'email', descendingSort: true })
  assert.deepEqual(first.body.content.map(row => row.email), ['z3@example.com', 'z2@example.com'])
  assert.match(first.body.next.href, /_lineStart=@/)
  const headers = { authorization: `Bearer ${token}`, 'x-api-key': API_KEY }
  const second = await (await fetch(first.body.next.href, { headers })).json()
  assert.deepEqual(second.content.map(row => row.email), ['z1@example.com', 'ada@example.com'])
  assert.equal(second.next, undefined)
  assert.equal((await (await fetch(first.body.count.href, { headers })).json()).count, 4)
})

await call('getAllProfiles: hasCustomFilter byExternalId', async () => {
  await command('addressing', { mode: 'filter' })
  const filter = { filters: ['byExternalId'], hasCustomFilter: true, externalId_parameter: ID }
  const { body } = await client.getAllProfiles(filter)
  assert.deepEqual(body.content.map(row => row.PKey), [profile.PKey])
  await command('addressing', { mode: 'key' })
  await rejects(client.getAllProfiles(filter), /ERROR_GET_ALL_PROFILES.*404/)
})

await call('createProfile: duplicate key', () =>
  rejects(client.createProfile({ externalId: ID }), UNREADABLE))

await call('createProfile: unknown attribute', () =>
  rejects(client.createProfile({ colour: 'red' }), /'colour' property is not valid for the 'profile' resource/))

await call('updateProfile: read-only attribute', () =>
  rejects(client.updateProfile(profile.PKey, { age: 3 }), /Cannot update the 'age' property that is read-only/))

await call('updateProfile: bad enumeration value', () =>
  rejects(client.updateProfile(profile.PKey, { gender: 'invalid' }), /'nms:recipient:gender' enumeration/))

await call('getProfile: invalid PKey', () =>
  rejects(client.getProfile('@gibberish'), /500 - .*'@gibberish' is not a valid constant/))

await call('getProfile: unknown PKey', () =>
  rejects(client.getProfile('@AAAAAAAAAAAAAAAAAAAA'), /404 - .*RST-360011.*Unable to find document/))

// Services

await call('createService', async () => {
  const { status, body } = await client.createService({ label: 'Sport Newsletter', messageType: 'email' })
  assert.equal(status, 201)
  assert.match(body.name, /^SVC/)
  service = body
})

await call('getService', async () => {
  const { body } = await client.getService(service.PKey)
  assert.equal(body.label, 'Sport Newsletter')
})

await call('getAllServices', async () => {
  const { body } = await client.getAllServices({ lineCount: 10, order: 'label' })
  assert.equal(body.content.length, 1)
})

await call('getAllServices: two filters', async () => {
  const parameters = { filters: ['byChannel', 'byText'], channel: 'email', text: 'Sport' }
  assert.equal((await client.getAllServices(parameters)).body.content.length, 1)
  assert.equal((await client.getAllServices({ ...parameters, channel: 'sms' })).body.content.length, 0)
})

await call('createService: duplicate key', () =>
  rejects(client.createService({ name: service.name }), UNREADABLE))

// Metadata

await call('getMetadataForResource: profile', async () => {
  const { body } = await client.getMetadataForResource('profile')
  assert.equal(body.content.email.length, '128')
  assert.equal(body.content.email.dataPolicy, 'email')
  assert.ok('female' in body.content.gender.values)
  assert.equal(body.content.cusCrmNumber, undefined)
})

await call('getMetadataForResource: service', async () => {
  const { body } = await client.getMetadataForResource('service')
  assert.equal(body.name, 'service')
})

await call('getMetadataForResource: history, not in the look-alike', () =>
  rejects(client.getMetadataForResource('history'), /404 - .*RST-360011/))

await call('getMetadataForResourceExt', async () => {
  const { status } = await client.getMetadataForResourceExt('cusVehicle')
  assert.equal(status, 200)
})

await call('getCustomResources', async () => {
  const { body } = await client.getCustomResources()
  assert.equal(body.cusVehicle.data, '/profileAndServicesExt/cusVehicle/')
  assert.ok('cusCrmNumber' in body.profile.content)
  assert.equal(body.cusProduct, undefined)
})

// Custom resources

await call('createCustomResource', async () => {
  const { status, body } = await client.createCustomResource('cusVehicle', { vehicleNumber: '20009', year: 2020 })
  assert.equal(status, 201)
  vehicle = body
})

await call('getCustomResource', async () => {
  const { body } = await client.getDataFromRelativeUrl(`/profileAndServicesExt/cusVehicle/${vehicle.PKey}`)
  assert.equal(body.vehicleNumber, '20009')
})

await call('updateCustomResource', async () => {
  const { status } = await client.updateCustomResource('cusVehicle', vehicle.PKey, { vehicleName: 'Model E' })
  assert.equal(status, 200)
})

await call('getAllCustomResources', async () => {
  const { body } = await client.getAllCustomResources('cusVehicle')
  assert.deepEqual(body.content.map(row => row.vehicleName), ['Model E'])
})

await call('getAllBasicCustomResources', async () => {
  const { body } = await client.getAllBasicCustomResources('cusProduct')
  assert.deepEqual(body.content, [])
})

await call('getAllProfileAndServicesExt', async () => {
  const { body } = await client.getAllProfileAndServicesExt('cusVehicle')
  assert.equal(body.content.length, 1)
})

await call('deleteCustomResource', async () => {
  const { status } = await client.deleteCustomResource('cusVehicle', vehicle.PKey)
  assert.equal(status, 200)
  assert.deepEqual((await client.getAllCustomResources('cusVehicle')).body.content, [])
})

await call('createCustomResource: linked to a profile', async () => {
  const { status } = await client.createCustomResource('cusOrder', { externalId: 'o-1', profile: { PKey: profile.PKey } })
  assert.equal(status, 201)
  const filter = { filters: ['byExternalId'], hasCustomFilter: true, externalId_parameter: 'o-1' }
  const { body } = await client.getAllCustomResources('cusOrder', filter)
  assert.equal(body.content[0].profileExternalId, ID)
  assert.equal(body.content[0].profile.PKey, profile.PKey)
})

await call('updateCustomResource: before its parent', async () => {
  const { status, body } = await client.createCustomResource('cusOrderLine', { externalId: 'l-1', orderExternalId: 'o-2' })
  assert.equal(status, 201)
  await rejects(client.updateCustomResource('cusOrderLine', body.PKey, { quantity: 2 }), /404 - .*Unable to find document/)
  await client.createCustomResource('cusOrder', { externalId: 'o-2' })
  assert.equal((await client.updateCustomResource('cusOrderLine', body.PKey, { quantity: 2 })).status, 200)
})

await call('getAllCustomResources: unknown resource', () =>
  rejects(client.getAllCustomResources('cusNothing'), /404 - /))

// The front door

await call('init: wrong access token', async () => {
  const stranger = await init(TENANT, API_KEY, 'wrong')
  await rejects(stranger.getAllProfiles(), /401 - .*401013.*Oauth token is not valid/)
})

await call('init: wrong API key', async () => {
  const stranger = await init(TENANT, 'wrong', token)
  await rejects(stranger.getAllProfiles(), /403 - .*error_code/)
})

await call('init: wrong tenant', async () => {
  const stranger = await init('elsewhere', API_KEY, token)
  await rejects(stranger.getAllProfiles(), /500 - .*Oops/)
})

await call('throttled: 429', async () => {
  await command('fault', {
    kind: 'status', method: 'GET', status: 429, headers: { 'content-type': 'application/json', 'retry-after': '60' },
    body: '{"error_code":"429050","message":"Too many requests"}'
  })
  await rejects(client.getProfile(profile.PKey), /429 - .*429050/)
  await client.getProfile(profile.PKey)
})
