// /pbm, the storage policy service. There are no policies here: nothing has one, everything is allowed everywhere, and what
// would make one is NotSupported. Terraform and others ask for policies of every VM that they read.
import { dateTime } from '@vivarium/base';
import {
  type ManagedTypeName,
  MethodFault,
  type MoRef,
  make,
  moRef,
  type PbmPlacementHub,
  type PbmProfileId,
  type PbmServerObjectRef,
  type PbmServiceInstanceContent,
  toLocalizedMethodFault,
} from '@vivarium/vim';
import { type Call, type ManagedObject, registerSideService, type Service } from '@vivarium/vmomi';
import type { FastifyInstance } from 'fastify';

/** What vCenter calls its storage policy service and the ids of its objects. */
const REFS = {
  serviceInstance: moRef('PbmServiceInstance', 'ServiceInstance'),
  sessionManager: moRef('PbmSessionManager', 'SessionManager'),
  capabilityMetadataManager: moRef('PbmCapabilityMetadataManager', 'CapabilityMetadataManager'),
  profileManager: moRef('PbmProfileProfileManager', 'ProfileManager'),
  complianceManager: moRef('PbmComplianceManager', 'complianceManager'),
  placementSolver: moRef('PbmPlacementSolver', 'placementSolver'),
  replicationManager: moRef('PbmReplicationManager', 'ReplicationManager'),
} as const;

const STORAGE = 'STORAGE';

/** Adds the service's objects and its routes, /pbm and /pbm/sdk. */
export function registerStoragePolicyService(app: FastifyInstance, service: Service): void {
  addObjects(service);
  registerSideService(app, service, 'pbm');
}

function addObjects(service: Service): void {
  const { graph, content } = service;
  const { serviceInstance, ...managers } = REFS;
  const pbmContent: PbmServiceInstanceContent = make('PbmServiceInstanceContent', {
    aboutInfo: make('PbmAboutInfo', {
      name: 'PBM',
      version: '2.0',
      instanceUuid: content.about.instanceUuid ?? '',
    }),
    ...managers,
  });
  graph.add<'PbmServiceInstance'>(
    serviceInstance,
    { content: pbmContent },
    { PbmRetrieveServiceContent: () => pbmContent },
  );
  graph.add<'PbmSessionManager'>(managers.sessionManager, {});
  graph.add<'PbmCapabilityMetadataManager'>(managers.capabilityMetadataManager, {});
  graph.add<'PbmReplicationManager'>(managers.replicationManager, {});
  addProfileManager(service);
  addPlacementSolver(service);
  addComplianceManager(service);
}

function addProfileManager(service: Service): void {
  service.graph.add<'PbmProfileProfileManager'>(
    REFS.profileManager,
    {},
    {
      PbmFetchResourceType: () => [make('PbmProfileResourceType', { resourceType: STORAGE })],
      PbmFetchVendorInfo: () => [],
      PbmFetchCapabilityMetadata: () => [],
      PbmFetchCapabilitySchema: () => [],
      PbmQueryProfile({ resourceType }) {
        if (resourceType.resourceType !== STORAGE)
          throw new MethodFault('InvalidArgument', { invalidProperty: 'resourceType' });
        return [];
      },
      PbmRetrieveContent({ profileIds }) {
        requireNone(profileIds, 'profileIds');
        return [];
      },
      PbmQueryAssociatedProfile({ entity }, call) {
        requireEntity(entity, call);
        return [];
      },
      PbmQueryAssociatedProfiles: ({ entities }, call) =>
        entities.map((entity) => {
          try {
            requireEntity(entity, call);
            return make('PbmQueryProfileResult', { object: entity });
          } catch (error) {
            return make('PbmQueryProfileResult', { object: entity, fault: toLocalizedMethodFault(error) });
          }
        }),
      PbmQueryAssociatedEntity: ({ profile }) => {
        throw noSuchProfile(profile, 'profile');
      },
      PbmQueryAssociatedEntities({ profiles = [] }) {
        requireNone(profiles, 'profiles');
        return [];
      },
      PbmQueryDefaultRequirementProfile({ hub }, call) {
        requireHubs([hub], call);
        return undefined;
      },
      PbmQueryDefaultRequirementProfiles({ datastores }, call) {
        requireHubs(datastores, call);
        return [make('PbmDefaultProfileInfo', { datastores })];
      },
      PbmFindApplicableDefaultProfile({ datastores }, call) {
        requireHubs(datastores, call);
        return [];
      },
    },
  );
}

function addPlacementSolver(service: Service): void {
  service.graph.add<'PbmPlacementSolver'>(
    REFS.placementSolver,
    {},
    {
      PbmQueryMatchingHub: ({ profile }) => {
        throw noSuchProfile(profile, 'profile');
      },
      PbmCheckCompatibility: ({ profile }) => {
        throw noSuchProfile(profile, 'profile');
      },
      /** Without a requirement every datastore will do; with one it names a policy that there is not. */
      PbmCheckRequirements({ hubsToSearch, placementSubjectRequirement = [] }, call) {
        if (placementSubjectRequirement.length > 0)
          throw new MethodFault('InvalidArgument', { invalidProperty: 'placementSubjectRequirement' });
        if (hubsToSearch) requireHubs(hubsToSearch, call);
        const hubs = hubsToSearch ?? datastoresOf(call);
        return hubs.map((hub) => make('PbmPlacementCompatibilityResult', { hub }));
      },
    },
  );
}

function addComplianceManager(service: Service): void {
  const complianceOf = (entity: PbmServerObjectRef, call: Call) => {
    requireEntity(entity, call);
    return make('PbmComplianceResult', {
      checkTime: dateTime(service.clock),
      entity,
      complianceStatus: 'notApplicable',
      mismatch: false,
    });
  };
  const check = (
    { entities, profile }: { entities: readonly PbmServerObjectRef[]; profile?: PbmProfileId },
    call: Call,
  ) => {
    if (profile) throw noSuchProfile(profile, 'profile');
    return entities.map((entity) => complianceOf(entity, call));
  };
  const rollUp = ({ entity: entities }: { entity: readonly PbmServerObjectRef[] }, call: Call) =>
    entities.map((entity) => {
      const result = complianceOf(entity, call);
      return make('PbmRollupComplianceResult', {
        oldestCheckTime: result.checkTime,
        entity,
        overallComplianceStatus: result.complianceStatus,
        result: [result],
        profileMismatch: false,
      });
    });
  service.graph.add<'PbmComplianceManager'>(
    REFS.complianceManager,
    {},
    {
      PbmCheckCompliance: check,
      PbmFetchComplianceResult: check,
      PbmCheckRollupCompliance: rollUp,
      PbmFetchRollupComplianceResult: rollUp,
    },
  );
}

/** What an objectType of PbmServerObjectRef is in the inventory. A disk is its VM's: '<vm>:<key>'. */
const ENTITY_TYPES: Readonly<Record<string, ManagedTypeName>> = {
  virtualMachine: 'VirtualMachine',
  virtualMachineAndDisks: 'VirtualMachine',
  virtualDiskId: 'VirtualMachine',
  datastore: 'Datastore',
  host: 'HostSystem',
  cluster: 'ClusterComputeResource',
};

/** Faults: PbmFaultNotFound, NoPermission. */
function requireEntity({ objectType, key }: PbmServerObjectRef, call: Call): void {
  const type = ENTITY_TYPES[objectType];
  const [id = ''] = key.split(':');
  requireReadable(type && (moRef(type, id) as MoRef), call);
}

/** A hub is a datastore here; there are no storage pods. Faults: PbmNonExistentHubs, NoPermission. */
function requireHubs(hubs: readonly PbmPlacementHub[], call: Call): void {
  const refOf = ({ hubId }: PbmPlacementHub) => moRef('Datastore', hubId) as MoRef;
  const isThere = (hub: PbmPlacementHub) => hub.hubType === 'Datastore' && call.service.graph.find(refOf(hub));
  const missing = hubs.filter((hub) => !isThere(hub));
  if (missing.length > 0) throw new MethodFault('PbmNonExistentHubs', { hubs: missing });
  for (const hub of hubs) requireReadable(refOf(hub), call);
}

function requireReadable(ref: MoRef | undefined, { service, session }: Call): void {
  const object = ref && service.graph.find(ref);
  if (!object) throw new MethodFault('PbmFaultNotFound');
  service.authorization.check(session, object, 'System.Read');
}

function datastoresOf({ service, session }: Call): PbmPlacementHub[] {
  return [...service.graph.ofType('Datastore')]
    .filter((datastore) => service.authorization.holds(session, datastore as ManagedObject, 'System.Read'))
    .map(({ ref }) => make('PbmPlacementHub', { hubType: 'Datastore', hubId: ref.value }));
}

function requireNone(profiles: readonly PbmProfileId[], property: string): void {
  const [first] = profiles;
  if (first) throw noSuchProfile(first, property);
}

function noSuchProfile({ uniqueId }: PbmProfileId, property: string): MethodFault<'InvalidArgument'> {
  const text = `There is no storage policy '${uniqueId.slice(0, 128)}'.`;
  return new MethodFault('InvalidArgument', { invalidProperty: property }, text);
}
