// Drives npm dynamics-web-api against a Dataverse look-alike.
//
//   node dynamics_web_api.mjs http://127.0.0.1:PORT [token URL]
//
// The client is resolved from the working directory. The look-alike must be a fresh one with its default credentials.
// Prints `ok <call>` per call named in README.md; the first failure is printed as `failed <call>: <why>`, exit 1.

import assert from 'node:assert/strict'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const origin = process.argv[2]
if (!origin) {
  console.error('usage: dynamics_web_api.mjs http://127.0.0.1:PORT [token URL]')
  process.exit(2)
}
const tokenUrl = process.argv[3] ?? `${origin}/local/oauth2/v2.0/token`

const require = createRequire(join(process.cwd(), 'package.json'))
const { DynamicsWebApi } = require('dynamics-web-api')

const api = new DynamicsWebApi({
  serverUrl: origin,
  dataApi: { version: '9.2' },
  onTokenRefresh: async () => {
    const form = {
      client_id: 'local-dynamics',
      client_secret: 'local-dynamics-secret',
      grant_type: 'client_credentials',
      scope: `${origin}/.default`
    }
    const response = await fetch(tokenUrl, { method: 'POST', body: new URLSearchParams(form) })
    assert.equal(response.status, 200)
    return (await response.json()).access_token
  }
})

async function command (name, body) {
  const response = await fetch(`${origin}/_sandbox/${name}`, { method: 'POST', body: JSON.stringify(body) })
  assert.equal(response.status, 200, `command ${name}`)
  return response.json()
}

async function call (name, work) {
  try {
    await work()
  } catch (error) {
    console.error(`failed ${name}: ${error.stack ?? JSON.stringify(error)}`)
    process.exit(1)
  }
  console.log(`ok ${name}`)
}

const rejects = (promise, status, code) => assert.rejects(promise, error => {
  assert.deepEqual([error.status, error.code], [status, code])
  return true
})

const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/
const collection = 'contacts'
let id

await call('callFunction: WhoAmI', async () => {
  const me = await api.callFunction({ functionName: 'WhoAmI' })
  assert.match(me.OrganizationId, GUID)
})

await call('create', async () => {
  id = await api.create({ collection, data: { firstname: 'Ada', lastname: 'Lovelace', birthdate: '1815-12-10' } })
  assert.match(id, GUID)
})

await call('create: return=representation', async () => {
  const data = { lastname: 'Hopper', creditlimit: 20000 }
  const row = await api.create({ collection, data, returnRepresentation: true, select: ['lastname', 'creditlimit'] })
  assert.equal(row.creditlimit, 20000)
  assert.match(row.contactid, GUID)
  await api.deleteRecord({ collection, key: row.contactid })
})

await call('create: unknown property', () =>
  rejects(api.create({ collection, data: { Lastname: 'wrong case' } }), 400, '0x0'))

await call('create: value too long', () =>
  rejects(api.create({ collection, data: { lastname: 'x'.repeat(51) } }), 400, '0x80044331'))

await call('retrieve', async () => {
  const row = await api.retrieve({ collection, key: id, select: ['firstname', 'birthdate', '_ownerid_value'] })
  assert.deepEqual([row.firstname, row.birthdate], ['Ada', '1815-12-10'])
  assert.match(row['@odata.etag'], /^W\/"\d+"$/)
})

await call('retrieve: formatted values', async () => {
  const row = await api.retrieve({ collection, key: id, select: ['donotemail'], includeAnnotations: '*' })
  assert.equal(row.donotemail_Formatted, 'Allow')
})

await call('update', async () => {
  await api.update({ collection, key: id, data: { firstname: 'Augusta Ada' } })
  assert.equal((await api.retrieve({ collection, key: id, select: ['firstname'] })).firstname, 'Augusta Ada')
})

await call('update: absent record', () =>
  rejects(api.update({ collection, key: '00000000-0000-0000-0000-000000000001', data: {} }), 404, '0x80040217'))

// The client turns a failed condition into `false`.
await call('update: stale If-Match', async () => {
  assert.equal(await api.update({ collection, key: id, data: {}, ifmatch: 'W/"1"' }), false)
})

await call('upsert by key', async () => {
  const key = "externaluseridentifier='u-1'"
  const row = await api.upsert({ collection, key, data: { lastname: 'First' }, returnRepresentation: true })
  const again = await api.upsert({ collection, key, data: { lastname: 'Second' }, returnRepresentation: true })
  assert.deepEqual([again.contactid, again.lastname], [row.contactid, 'Second'])
  assert.equal(row.externaluseridentifier, 'u-1')
})

await call('upsert: If-None-Match', async () => {
  assert.equal(await api.upsert({ collection, key: id, data: { lastname: 'x' }, ifnonematch: '*' }), null)
})

await call('upsert by key: undeclared key', () =>
  rejects(api.upsert({ collection, key: "firstname='x'", data: {} }), 400, '0x0'))

await call('retrieveMultiple: filter, count', async () => {
  const filter = `contactid eq ${id} or lastname eq 'nobody'`
  const page = await api.retrieveMultiple({ collection, select: ['firstname'], filter, count: true })
  assert.deepEqual([page.value.length, page.oDataCount], [1, 1])
})

await call('retrieveMultiple: unknown column', () =>
  rejects(api.retrieveMultiple({ collection, select: ['nope'] }), 400, '0x0'))

await call('count', async () => {
  assert.equal(await api.count({ collection, filter: "lastname eq 'Lovelace'" }), 1)
})

const tracked = { collection, select: ['firstname', 'lastname'], trackChanges: true, maxPageSize: 5 }
let ids
let delta

await call('nextLink', async () => {
  ids = await command('seed', { records: Array.from({ length: 11 }, (_, n) => ({ lastname: `Seeded ${n}` })) })
  const first = await api.retrieveMultiple({ ...tracked, trackChanges: false })
  assert.deepEqual([first.value.length, first.oDataDeltaLink], [5, undefined])
  const second = await api.retrieveMultiple({ ...tracked, trackChanges: false }, first.oDataNextLink)
  assert.equal(second.value.length, 5)
})

await call('track-changes', async () => {
  const first = await api.retrieveMultiple(tracked)
  assert.deepEqual([first.value.length, first.oDataDeltaLink], [5, undefined])
  const second = await api.retrieveMultiple(tracked, first.oDataNextLink)
  const third = await api.retrieveMultiple(tracked, second.oDataNextLink)
  assert.equal(first.value.length + second.value.length + third.value.length, 13)
  assert.ok(third.oDataDeltaLink)
})

await call('track-changes: retrieveAll', async () => {
  const all = await api.retrieveAll(tracked)
  assert.equal(all.value.length, 13)
  delta = all.oDataDeltaLink
  assert.match(delta, /\$deltatoken=\d+%21\d\d%2f\d\d%2f\d{4}%20\d\d%3a\d\d%3a\d\d$/)
})

await call('track-changes: filter refused', () =>
  rejects(api.retrieveMultiple({ ...tracked, filter: 'statecode eq 0' }), 400, '0x80060888'))

await call('deltaLink', async () => {
  await command('edit', { id: ids[0], changes: { firstname: 'Edited' } })
  await api.deleteRecord({ collection, key: ids[1] })
  const changes = await api.retrieveMultiple({ collection }, delta)
  assert.deepEqual(changes.value.map(row => [row.contactid ?? row.id, row.reason]), [[ids[0], undefined], [ids[1], 'deleted']])
  const nothing = await api.retrieveMultiple({ collection }, changes.oDataDeltaLink)
  assert.equal(nothing.value.length, 0)
})

await call('deltaLink: expired', async () => {
  await command('expire_token', {})
  await rejects(api.retrieveMultiple({ collection }, delta), 400, '0x80044352')
})

await call('delete', async () => {
  assert.equal(await api.deleteRecord({ collection, key: ids[2] }), true)
  await rejects(api.retrieve({ collection, key: ids[2] }), 404, '0x80040217')
})

await call('batch', async () => {
  api.startBatch()
  api.create({ collection, data: { lastname: 'Batched' }, contentId: '1' })
  api.update({ collection, key: ids[3], data: { firstname: 'Batched' } })
  api.deleteRecord({ collection, key: ids[4] })
  const [created] = await api.executeBatch()
  assert.match(created, GUID)
  assert.equal((await api.retrieve({ collection, key: ids[3], select: ['firstname'] })).firstname, 'Batched')
})

await call('batch: change set rolls back', async () => {
  api.startBatch()
  api.update({ collection, key: ids[5], data: { firstname: 'Never' } })
  api.deleteRecord({ collection, key: ids[4] })
  await assert.rejects(api.executeBatch())
  assert.equal((await api.retrieve({ collection, key: ids[5], select: ['firstname'] })).firstname, null)
})

await call('batch: reads', async () => {
  api.startBatch()
  api.retrieve({ collection, key: ids[3], select: ['lastname'] })
  api.retrieveMultiple({ collection, select: ['lastname'], filter: `contactid eq ${ids[5]}` })
  const [row, page] = await api.executeBatch()
  assert.deepEqual([row.lastname, page.value[0].lastname], ['Seeded 3', 'Seeded 5'])
})

await call('retrieveEntity', async () => {
  const key = "LogicalName='contact'"
  const table = await api.retrieveEntity({ key, select: ['EntitySetName', 'ChangeTrackingEnabled'] })
  assert.deepEqual([table.EntitySetName, table.ChangeTrackingEnabled], ['contacts', true])
})

await call('retrieveAttributes', async () => {
  const { value } = await api.retrieveAttributes({
    entityKey: "LogicalName='contact'",
    castType: 'Microsoft.Dynamics.CRM.StringAttributeMetadata',
    select: ['LogicalName', 'MaxLength']
  })
  assert.equal(value.find(column => column.LogicalName === 'firstname').MaxLength, 50)
})

// -- the tables of email events -------------------------------------------------------------------------------------

const CRM = 'Microsoft.Dynamics.CRM.'
const label = text => ({
  '@odata.type': `${CRM}Label`,
  LocalizedLabels: [{ '@odata.type': `${CRM}LocalizedLabel`, Label: text, LanguageCode: 1033 }]
})
const text = (schema, length, more = {}) => ({
  '@odata.type': `${CRM}StringAttributeMetadata`,
  SchemaName: schema,
  DisplayName: label(schema),
  MaxLength: length,
  FormatName: { Value: 'Text' },
  RequiredLevel: { Value: 'None' },
  ...more
})
const clicks = 'acs_emailclicks'
const regarding = 'regardingobjectid_contact_acs_emailclick@odata.bind'
const eventId = n => `0a1b2c3d-0000-5000-8000-${String(n).padStart(12, '0')}`
const event = n => ({
  subject: 'Campaign Name: 2019LoyaltyCamp; Delivery Name: DM190',
  acs_trackingurl: `https://shop.example/${n}`,
  sortdate: '2026-05-01T10:00:00Z',
  [regarding]: `/contacts(${ids[3]})`
})

await call('events: createEntity', async () => {
  const publisher = { uniquename: 'acs', friendlyname: 'ACS', customizationprefix: 'acs', customizationoptionvalueprefix: 72700 }
  await api.create({ collection: 'publishers', data: publisher })
  const data = {
    '@odata.type': `${CRM}EntityMetadata`,
    SchemaName: 'acs_emailclick',
    IsActivity: true,
    HasActivities: false,
    HasNotes: true,
    OwnershipType: 'UserOwned',
    IsAvailableOffline: true,
    DisplayName: label('Adobe Campaign Email URL Click'),
    DisplayCollectionName: label('Adobe Campaign Email URL Clicks'),
    Description: label('Clicks'),
    Attributes: [text('Subject', 200, { IsPrimaryName: true })]
  }
  assert.match(await api.createEntity({ data }), GUID)
})

await call('events: createAttribute', async () => {
  const entityKey = "LogicalName='acs_emailclick'"
  assert.match(await api.createAttribute({ entityKey, data: text('acs_trackingurl', 500) }), GUID)
})

await call('events: upsert: If-None-Match', async () => {
  const request = { collection: clicks, key: eventId(1), data: event(1), ifnonematch: '*' }
  assert.notEqual(await api.upsert(request), null)
  assert.equal(await api.upsert(request), null)
})

await call('events: update: deleted row stays deleted', async () => {
  await rejects(api.update({ collection: clicks, key: eventId(2), data: { acs_trackingurl: 'x' }, ifmatch: '*' }), 404, '0x80040217')
  assert.equal(await api.count({ collection: clicks, filter: `activityid eq ${eventId(2)}` }), 0)
})

await call('events: batch, continue on error', async () => {
  api.startBatch()
  for (const n of [1, 2, 3]) {
    api.upsert({ collection: clicks, key: eventId(n), data: event(n), ifnonematch: '*', inChangeSet: false })
  }
  const told = await api.executeBatch({ continueOnError: true })
  assert.deepEqual([told[0].status, told[1], told[2]], [412, eventId(2), eventId(3)])
  assert.equal(await api.count({ collection: clicks, filter: `_regardingobjectid_value eq ${ids[3]}` }), 3)
})

await call('events: callAction: CreateMultiple', async () => {
  const target = n => ({ '@odata.type': `${CRM}acs_emailclick`, activityid: eventId(n), ...event(n) })
  const numbers = Array.from({ length: 20 }, (_, n) => n + 10)
  const request = { collection: clicks, actionName: `${CRM}CreateMultiple` }
  const made = await api.callAction({ ...request, action: { Targets: numbers.map(target) } })
  assert.deepEqual(made.Ids, numbers.map(eventId))
  await assert.rejects(api.callAction({ ...request, action: { Targets: [40, 10].map(target) } }))
  assert.equal(await api.count({ collection: clicks, filter: `activityid eq ${eventId(40)}` }), 0)
})

await call('events: callAction: UpdateMultiple', async () => {
  const Targets = [10, 11].map(n => ({ '@odata.type': `${CRM}acs_emailclick`, activityid: eventId(n), acs_trackingurl: 'revised' }))
  await api.callAction({ collection: clicks, actionName: `${CRM}UpdateMultiple`, action: { Targets } })
  assert.equal(await api.count({ collection: clicks, filter: "acs_trackingurl eq 'revised'" }), 2)
})

await call('events: nextLink', async () => {
  const asked = { collection: clicks, select: ['subject'], maxPageSize: 9 }
  const first = await api.retrieveMultiple(asked)
  const second = await api.retrieveMultiple(asked, first.oDataNextLink)
  const third = await api.retrieveMultiple(asked, second.oDataNextLink)
  assert.deepEqual([first, second, third].map(page => page.value.length), [9, 9, 5])
})

await call('events: task', async () => {
  const data = { subject: 'Follow up on URL click', scheduledend: '2026-05-02T10:00:00Z', 'regardingobjectid_contact_task@odata.bind': `/contacts(${ids[3]})` }
  const request = { collection: 'tasks', key: eventId(99), data, ifnonematch: '*' }
  assert.notEqual(await api.upsert(request), null)
  assert.equal(await api.upsert(request), null)
})

await call('429', async () => {
  const error = { error: { code: '0x80072322', message: 'Number of requests exceeded the limit of 6000 over time window of 300 seconds.' } }
  const headers = { 'content-type': 'application/json', 'retry-after': '7' }
  await command('fault', { kind: 'status', status: 429, path: 'contacts', headers, body: JSON.stringify(error) })
  await assert.rejects(api.retrieve({ collection, key: ids[3] }), error => {
    assert.deepEqual([error.status, error.code, error.headers['retry-after']], [429, '0x80072322', '7'])
    return true
  })
})
