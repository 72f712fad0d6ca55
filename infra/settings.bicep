// App settings that have a default in the code (sync/settings.py): a test holds both equal.

@export()
@sealed()
@description('App settings to change from their defaults; docs/settings.md explains each. All are text.')
type Tunables = {
  @description('Token endpoint of the Dynamics tenant, for sovereign clouds.')
  DYNAMICS_TOKEN_URL: string?
  @description('Rows per page that Dynamics is asked for.')
  DYNAMICS_PAGE_SIZE: string?
  @description('Adobe token endpoint.')
  CAMPAIGN_TOKEN_URL: string?
  @description('Scopes of the Adobe credential, with commas.')
  CAMPAIGN_SCOPES: string?
  @description('Generation of Campaign.')
  CAMPAIGN_DIALECT: ('auto' | 'standard' | 'v8')?
  @description('How a profile is found.')
  CAMPAIGN_ADDRESSING: ('auto' | 'key' | 'filter')?
  @description('DELETE by key works on this Campaign instance.')
  CAMPAIGN_DELETE_BY_KEY: ('true' | 'false')?
  @description('Calls allowed in any window: the licensed rate.')
  CAMPAIGN_LIMIT: string?
  @description('Length of that window in seconds.')
  CAMPAIGN_WINDOW_S: string?
  @description('Calls allowed in any 24 hours: engine calls of the contract. 0: no such limit.')
  CAMPAIGN_CALLS_PER_DAY: string?
  @description('Calls that may come at once after a quiet time.')
  CAMPAIGN_BURST: string?
  @description('Calls in flight per instance of the app.')
  CAMPAIGN_CONCURRENCY: string?
  @description('How long the host hides a message it works on; fixed in Azure.')
  MESSAGE_LEASE_S: string?
  @description('A call that takes longer counts as unknown.')
  CALL_TIMEOUT_S: string?
  @description('How long the Adobe gateway may still carry out a call that was given up.')
  GATEWAY_S: string?
  @description('How far the clocks of two instances may differ.')
  SKEW_S: string?
  @description('When the deltas are read (UTC, six fields).')
  PULL_SCHEDULE: string?
  @description('When the backfill lane is filled up.')
  FEED_SCHEDULE: string?
  @description('When Campaign is asked whose opt-outs changed.')
  CONSENT_SCHEDULE: string?
  @description('When lost wake-ups are looked for.')
  WAKE_SCHEDULE: string?
  @description('When old rows are removed.')
  EXPIRE_SCHEDULE: string?
  @description('Files in EVENTS_CONTAINER whose names begin so tell which profiles changed, where Campaign cannot.')
  CONSENT_EXPORTS: string?
  @description('When a part of the records is compared with Campaign.')
  RECONCILE_SCHEDULE: string?
  @description('Share of each mapping\'s records that is compared a day, in turn; 0: none.')
  RECONCILE_PERCENT: string?
  @description('Whether that look sends again what differs; else it only reports.')
  RECONCILE_HEAL: string?
  @description('How far each look for changed opt-outs in Campaign reaches back.')
  CONSENT_OVERLAP_S: string?
  @description('Pages of a full read per control message.')
  PAGES_PER_GROUP: string?
  @description('Records per queue message, at most.')
  CHUNK_RECORDS: string?
  @description('Ledger partitions of a new mapping; fixed when a mapping is made.')
  BUCKETS: string?
  @description('How long one tick reads one delta.')
  PULL_SECONDS: string?
  @description('How far live reads beside a full read reach back.')
  OVERLAP_S: string?
  @description('Folder of the mappings that ship with the app.')
  MAPPINGS_DIR: string?
  @description('Days that history and counters are kept.')
  HISTORY_DAYS: string?
  @description('Days that tombstones of deleted records are kept.')
  TOMBSTONE_DAYS: string?
  @description('The health function fails when the last good pull is older.')
  FRESHNESS_S: string?
  @description('Deletes in 24 h above this share of the records wait for approval.')
  DELETE_BRAKE_PERCENT: string?
  @description('So many deletes in 24 h are always let through.')
  DELETE_BRAKE_MIN: string?
  @description('When the container of log exports is looked at.')
  EVENTS_SCHEDULE: string?
  @description('How long one tick reads files.')
  EVENTS_PULL_SECONDS: string?
  @description('A file is read once it has not been written for so long.')
  EVENTS_SETTLE_S: string?
  @description('A last line without line break is read from files that have not been written for so long.')
  EVENTS_PARTIAL_S: string?
  @description('A larger file is refused.')
  EVENTS_FILE_MB: string?
  @description('Days that event rows are kept; older files and lines are refused.')
  EVENTS_DAYS: string?
  @description('Partitions of each delivery; keep it once events have been read.')
  EVENTS_BUCKETS: string?
  @description('Lines that are stored before the position of the file is.')
  EVENTS_READ_ROWS: string?
  @description('Open events per queue message and per bulk request, about.')
  EVENTS_MESSAGE_ROWS: string?
  @description('Days that an event waits for a contact nobody knows yet.')
  EVENTS_PARKED_DAYS: string?
  @description('Days that the consent journal is kept.')
  CONSENT_JOURNAL_DAYS: string?
  @description('Removals of opt-outs in an hour towards one system; more wait for approval.')
  OPT_IN_BRAKE: string?
}

@export()
@description('The defaults of the code, shown in the portal so that everybody sees what is in force.')
var defaults = {
  DYNAMICS_PAGE_SIZE: '1000'
  CAMPAIGN_TOKEN_URL: 'https://ims-na1.adobelogin.com/ims/token/v3'
  CAMPAIGN_SCOPES: 'openid,AdobeID,read_organizations,additional_info.projectedProductContext,additional_info.roles,adobeio_api,campaign_sdk,campaign_config_server_general'
  CAMPAIGN_DIALECT: 'auto'
  CAMPAIGN_ADDRESSING: 'auto'
  CAMPAIGN_DELETE_BY_KEY: 'false'
  CAMPAIGN_LIMIT: '4000'
  CAMPAIGN_WINDOW_S: '300'
  CAMPAIGN_CALLS_PER_DAY: '0'
  CAMPAIGN_BURST: '100'
  CAMPAIGN_CONCURRENCY: '16'
  MESSAGE_LEASE_S: '600'
  CALL_TIMEOUT_S: '30'
  GATEWAY_S: '60'
  SKEW_S: '30'
  PULL_SCHEDULE: '*/15 * * * * *'
  FEED_SCHEDULE: '*/15 * * * * *'
  CONSENT_SCHEDULE: '0 * * * * *'
  WAKE_SCHEDULE: '0 * * * * *'
  EXPIRE_SCHEDULE: '0 30 2 * * *'
  CONSENT_EXPORTS: 'profiles'
  RECONCILE_SCHEDULE: '0 15 3 * * *'
  RECONCILE_PERCENT: '1'
  RECONCILE_HEAL: 'false'
  CONSENT_OVERLAP_S: '300'
  PAGES_PER_GROUP: '10'
  CHUNK_RECORDS: '20'
  BUCKETS: '64'
  PULL_SECONDS: '10'
  OVERLAP_S: '600'
  MAPPINGS_DIR: 'mappings'
  HISTORY_DAYS: '90'
  TOMBSTONE_DAYS: '400'
  FRESHNESS_S: '300'
  DELETE_BRAKE_PERCENT: '5'
  DELETE_BRAKE_MIN: '50'
  EVENTS_SCHEDULE: '*/30 * * * * *'
  EVENTS_PULL_SECONDS: '240'
  EVENTS_SETTLE_S: '30'
  EVENTS_PARTIAL_S: '900'
  EVENTS_FILE_MB: '2048'
  EVENTS_DAYS: '400'
  EVENTS_BUCKETS: '16'
  EVENTS_READ_ROWS: '20000'
  EVENTS_MESSAGE_ROWS: '1000'
  EVENTS_PARKED_DAYS: '30'
  CONSENT_JOURNAL_DAYS: '730'
  OPT_IN_BRAKE: '100'
}
