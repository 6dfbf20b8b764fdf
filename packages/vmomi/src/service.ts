// One per daemon: the managed-object server. Makes the managers that every daemon has and ties them together; whatever
// is particular to a host or a vCenter the daemon adds to the graph and to the content.
import type { Clock, Logger, Random } from '@vivarium/base';
import type { Store } from '@vivarium/store';
import {
  type AboutInfo,
  type MoRef,
  make,
  type ServiceContent,
  type SessionManagerGenericServiceTicket,
} from '@vivarium/vim';
import type { FastifyInstance } from 'fastify';
import { addLocalAccountManager, addUserDirectory } from './account/local-account-manager.ts';
import { LocalAccounts } from './account/local-accounts.ts';
import type { UserDirectory } from './account/user-directory.ts';
import { Authorization } from './authorization/authorization.ts';
import { addAuthorizationManager } from './authorization/authorization-manager.ts';
import type { Call } from './call.ts';
import type { CustomFields } from './custom-fields-manager/custom-fields.ts';
import { addCustomFieldsManager } from './custom-fields-manager/custom-fields-manager.ts';
import { provideDisabledMethods } from './disabled-methods/disabled-methods.ts';
import { MethodBlocks } from './disabled-methods/method-blocks.ts';
import { type Invocation, invoke } from './dispatch.ts';
import { EventLog } from './event/event-log.ts';
import { addEventManager } from './event/event-manager.ts';
import { extensionLogin } from './extension-manager/extension-login.ts';
import { addExtensionManager } from './extension-manager/extension-manager.ts';
import { Extensions } from './extension-manager/extensions.ts';
import { ObjectGraph } from './graph/object-graph.ts';
import { type AuthenticationRequest, authenticate } from './http/authenticate.ts';
import { registerRoutes } from './http/register.ts';
import { addLicenseManager, type Licensing } from './license-manager/license-manager.ts';
import { CallMetrics } from './metrics/call-metrics.ts';
import { ProcessMetrics } from './metrics/process-metrics.ts';
import { daemonOptions, sessionPolicy } from './option-manager/daemon-options.ts';
import type { OptionDefinition } from './option-manager/option-definition.ts';
import { addOptionManager } from './option-manager/option-manager.ts';
import { Settings } from './option-manager/settings.ts';
import { addPerformanceManager } from './performance-manager/performance-manager.ts';
import { ChangeRouter } from './property-collector/change-router.ts';
import { type CollectorLimits, PropertyCollectors } from './property-collector/property-collector.ts';
import { addSearchIndex } from './search-index/search-index.ts';
import { addServiceInstance, SERVICE_INSTANCE } from './service-instance/service-instance.ts';
import { LICENSE_ASSIGNMENT_MANAGER, type Personality, WELL_KNOWN } from './service-instance/well-known.ts';
import type { CertificateLogin } from './session/certificate-login.ts';
import type { Session } from './session/session.ts';
import { sessionEvents } from './session/session-events.ts';
import { addSessionManager } from './session/session-manager.ts';
import { type ServicePurpose, SessionRegistry } from './session/session-registry.ts';
import { StandIns } from './session/stand-ins.ts';
import { NO_STATISTICS, type StatisticsProvider } from './statistics/provider.ts';
import { addTaskManager } from './task/task-manager.ts';
import { TaskRegistry } from './task/task-registry.ts';
import { addUnbuiltManagers } from './unbuilt-managers.ts';
import { Views } from './view-manager/view-manager.ts';

export interface ServiceOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly store: Store;
  readonly about: AboutInfo;
  /** Ids and content as ESXi or as vCenter has them. */
  readonly instance: Personality;
  /** The daemon adds the folder itself to the graph. */
  readonly rootFolder: MoRef<'Folder'>;
  /** Who may log in; default: the accounts kept in the store. */
  readonly users?: UserDirectory;
  /** Who may log in by certificate, besides a vCenter's extensions; default: nobody. */
  readonly certificateLogin?: CertificateLogin;
  /** Groups whose member every extension is that has logged in: what it may do is theirs. Default: none. */
  readonly extensionGroups?: readonly string[];
  /** Options of the daemon's own besides those that vmomi obeys. */
  readonly settings?: readonly OptionDefinition[];
  /** Keys that clients may add options under; default: none. */
  readonly isOpenOption?: (key: string) => boolean;
  /** What PerformanceManager answers from; without it nothing is measured. */
  readonly statistics?: StatisticsProvider;
  /** What property collectors may use; the defaults suit a host. */
  readonly collectorLimits?: Partial<CollectorLimits>;
  /** References of the daemon's own managers: fileManager, virtualDiskManager … */
  readonly content?: Partial<ServiceContent>;
}

export class Service {
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Logger;
  readonly store: Store;
  readonly rootFolder: MoRef<'Folder'>;
  readonly instance: Personality;
  readonly graph = new ObjectGraph();
  readonly settings: Settings;
  readonly accounts: LocalAccounts;
  readonly users: UserDirectory;
  readonly authorization: Authorization;
  /** What is disabled of single entities. */
  readonly methodBlocks: MethodBlocks;
  readonly events: EventLog;
  readonly tasks: TaskRegistry;
  readonly sessions: SessionRegistry;
  /** What was called and done so far, for /metrics. */
  readonly calls: CallMetrics;
  /** Asked first for tickets for URLs of somebody else (a vCenter's hosts); undefined = it is nobody else's. */
  ticketsOfOthers:
    | ((purpose: ServicePurpose, call: Call) => Promise<SessionManagerGenericServiceTicket | undefined>)
    | undefined;
  readonly #process: ProcessMetrics;
  readonly licensing: Licensing;
  readonly #customFields: CustomFields;
  #content: ServiceContent;

  constructor(options: ServiceOptions) {
    const { clock, random, log, store, rootFolder, instance } = options;
    this.clock = clock;
    this.random = random;
    this.log = log;
    this.store = store;
    this.rootFolder = rootFolder;
    this.instance = instance;
    const { graph } = this;
    const definitions = [...daemonOptions(instance), ...(options.settings ?? [])];
    this.settings = new Settings(store, WELL_KNOWN[instance].setting.value, definitions, options.isOpenOption);
    this.accounts = new LocalAccounts(store, random);
    this.users = options.users ?? this.accounts;
    const isService = (userName: string) => this.accounts.isServiceUser(userName);
    this.authorization = new Authorization(graph, store, rootFolder, isService);
    this.methodBlocks = new MethodBlocks(store, (ref) => graph.find(ref) !== undefined);
    this.events = new EventLog({ clock, log, history: store.history, graph });
    this.tasks = new TaskRegistry({
      clock,
      log,
      history: store.history,
      graph,
      events: this.events,
      idStyle: instance,
    });
    let policy = sessionPolicy(this.settings); // asked for with every call
    this.settings.onChange(() => {
      policy = sessionPolicy(this.settings);
    });
    const extensions = 'extensionManager' in WELL_KNOWN[instance] ? new Extensions(store) : undefined;
    const { certificateLogin, extensionGroups = [] } = options;
    this.sessions = new SessionRegistry({
      clock,
      random,
      log,
      users: this.users,
      certificateLogin: extensions ? extensionLogin(extensions, extensionGroups, certificateLogin) : certificateLogin,
      policy: () => policy,
      listener: sessionEvents(this.events),
    });
    this.calls = new CallMetrics(clock);
    this.#process = new ProcessMetrics(clock.now());
    this.tasks.onChange((info) => this.calls.noteTask(info));
    this.#content = make('ServiceContent', {
      rootFolder,
      about: options.about,
      ...WELL_KNOWN[instance],
      ...options.content,
    });
    const managers = this.#addManagers(options.statistics ?? NO_STATISTICS, options.collectorLimits ?? {});
    this.#customFields = managers.customFields;
    this.licensing = managers.licensing;
    const { extensionManager } = this.#content;
    if (extensions && extensionManager) addExtensionManager(this, extensionManager, extensions);
  }

  /** ServiceInstance.content. */
  get content(): ServiceContent {
    return this.#content;
  }

  /** Adds references to the content: managers that the daemon makes after the service. */
  extendContent(more: Partial<ServiceContent>): void {
    this.#content = { ...this.#content, ...more };
    this.graph.get(SERVICE_INSTANCE).set('content', this.#content);
  }

  /** The dispatch; see dispatch.ts. */
  invoke(request: Invocation, call: Call): Promise<unknown> {
    return this.calls.during(request.this.type, request.method, () =>
      this.sessions.during(call.session, () => invoke(this, request, call)),
    );
  }

  /** All routes of the API: /sdk in SOAP and VI/JSON, the WSDL, vimServiceVersions.xml, /about; and /metrics. */
  register(app: FastifyInstance): void {
    registerRoutes(app, this, this.#process);
  }

  /** Whose request it is: session cookie or header, one-time ticket, or Basic. For routes beside the API (/folder). */
  authenticate(request: AuthenticationRequest): Promise<Session | undefined> {
    return authenticate(this, request);
  }

  /**
   * Forgets permissions, custom values and disabled methods of what is no longer there. To be called when everything that the daemon keeps is in the
   * graph, and only by one that keeps it itself: what lies on a datastore that is away has not gone.
   */
  async sweep(): Promise<void> {
    await this.authorization.sweep();
    await this.#customFields.sweep(this.graph);
    await this.methodBlocks.sweep();
  }

  /** Ends sessions and tasks and writes what is pending. The store stays open. */
  async close(): Promise<void> {
    this.#process.stop();
    this.sessions.close();
    await this.tasks.close();
    await this.events.settled();
  }

  #addManagers(statistics: StatisticsProvider, limits: Partial<CollectorLimits>) {
    const refs = WELL_KNOWN[this.instance];
    const { graph, authorization, clock, random, rootFolder } = this;
    const router = new ChangeRouter(graph);
    addServiceInstance(this);
    addSessionManager(this, refs.sessionManager);
    provideDisabledMethods(this);
    addAuthorizationManager(this, refs.authorizationManager);
    addUserDirectory(this, refs.userDirectory);
    if (refs.accountManager) addLocalAccountManager(this, refs.accountManager);
    addOptionManager(this, refs.setting, this.settings);
    addEventManager(this, refs.eventManager);
    addTaskManager(this, refs.taskManager);
    const customFields = addCustomFieldsManager(this, refs.customFieldsManager);
    const licensing = addLicenseManager(this, refs.licenseManager, LICENSE_ASSIGNMENT_MANAGER[this.instance]);
    addPerformanceManager(this, refs.perfManager, statistics);
    addSearchIndex({ graph, rootFolder, router }, refs.searchIndex);
    const standIns = new StandIns();
    new Views({ graph, authorization, random, rootFolder, router, standIns }).addManager(refs.viewManager);
    const collectors = new PropertyCollectors({ graph, authorization, clock, random, router, standIns, limits });
    collectors.addDefault(refs.propertyCollector);
    addUnbuiltManagers(this);
    return { customFields, licensing };
  }
}
