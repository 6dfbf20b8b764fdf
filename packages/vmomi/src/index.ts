export { LocalAccounts } from './account/local-accounts.ts';
export { hashPassword, verifyPassword } from './account/password.ts';
export { PasswordCheck } from './account/password-check.ts';
export type { GroupInfo, Principal, UserDirectory } from './account/user-directory.ts';
export type { Authorization, PrivilegeSet } from './authorization/authorization.ts';
export { filePlace } from './authorization/file-place.ts';
export type { Call } from './call.ts';
export { browseLog, logDescriptor } from './diagnostic-manager/diagnostic-log.ts';
export type { Invocation } from './dispatch.ts';
export type { EventLog, NewEvent } from './event/event-log.ts';
export {
  type FolderOpening,
  type FolderReply,
  type FolderSource,
  registerFolderDoor,
} from './folder-door/folder-door.ts';
export { type FolderRights, folderRights } from './folder-door/folder-rights.ts';
export { folderUrl } from './folder-door/folder-target.ts';
export { httpStatus } from './folder-door/http-status.ts';
export { type Listing, type ListingEntry, listingPage } from './folder-door/listing-page.ts';
export {
  FOLDER_NAMES_HEADER,
  FOLDER_PAGE_HEADER,
  type FolderNames,
  formatFolderNames,
  parseFolderNames,
} from './folder-door/proxy-headers.ts';
export { TransferBroken } from './folder-door/refuse-transfer.ts';
export type { Change, ChangeListener } from './graph/change.ts';
export { knownReference } from './graph/known-references.ts';
export { type Computed, ManagedObject, type ObjectOptions } from './graph/managed-object.ts';
export { ObjectGraph, type Unsubscribe } from './graph/object-graph.ts';
export type { AuthenticationRequest } from './http/authenticate.ts';
export { callOf } from './http/call-context.ts';
export { basicCredentials, SESSION_HEADER } from './http/cookies.ts';
export { registerSideService } from './http/register.ts';
export { prepareScope } from './http/scope.ts';
export { type LocalUser, localUser } from './local-user.ts';
export { type NfcReceiver, registerNfcDoor } from './nfc-door/nfc-door.ts';
export { daemonOptions } from './option-manager/daemon-options.ts';
export type { OptionDefinition } from './option-manager/option-definition.ts';
export { addOptionManager, optionHandlers, optionProperties } from './option-manager/option-manager.ts';
export { Settings } from './option-manager/settings.ts';
export { Pacer } from './pacer.ts';
export { entityMetric, entityMetricCsv, metricId } from './performance-manager/entity-metric.ts';
export { registerScreenRoute } from './screen-door/screen-route.ts';
export { Service, type ServiceOptions } from './service.ts';
export type { Personality } from './service-instance/well-known.ts';
export type { CertificateLogin } from './session/certificate-login.ts';
export type { LockOutPolicy } from './session/lock-out.ts';
export type { Session } from './session/session.ts';
export type { ServicePurpose } from './session/session-registry.ts';
export { Tickets } from './session/tickets.ts';
export { Archive, type ArchiveLevel } from './statistics/archive.ts';
export { type CounterName, counterKey, counters } from './statistics/counters.ts';
export {
  type MetricFilter,
  type MetricId,
  type MetricValue,
  MISSING,
  metricFilter,
  NO_SAMPLES,
  type Samples,
  type TimeRange,
} from './statistics/metric.ts';
export {
  REAL_TIME_PERIOD_S,
  type StatisticsProvider,
  type StatisticsQuery,
  type StatisticsSupport,
} from './statistics/provider.ts';
export { RealTimeStore } from './statistics/real-time-store.ts';
export { rollUpSamples } from './statistics/roll-up.ts';
export { StatisticsSettings } from './statistics/statistics-settings.ts';
export { storeFault } from './store-fault.ts';
export type { TaskHandle, TaskRegistry, TaskSpec, TaskWork } from './task/task-registry.ts';
export { descriptionIdOf } from './task/task-text.ts';
