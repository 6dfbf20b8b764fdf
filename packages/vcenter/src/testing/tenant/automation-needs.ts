// For tests: what the operations of the Automation API need, in the words of the methods that they stand for. Every operation is
// here, or a test that goes through them all fails.
import { type MoRef, moRef } from '@vivarium/vim';
import { type Need, need, needed } from '@vivarium/vmomi/testing/tenant';
import { ROOT, type World } from './world.ts';

export type Input = Readonly<Record<string, unknown>>;
type Rule = (world: World, input: Input) => Need[];

/** Nobody is refused: lists show what may be read, and what concerns only oneself. */
const OPEN: Rule = () => [];
/** Not by the inventory's permissions: only administrators of the domain may. */
export const DOMAIN_ONLY = 'domain' as const;

/** The entity of an id, under whichever type it has. */
function entity(world: World, id: unknown): MoRef {
  return world.entities().find(({ value }) => value === id) ?? (moRef('Folder', String(id)) as MoRef);
}

const reads =
  (param: string): Rule =>
  (world, input) =>
    need('System.Read', entity(world, input[param]));

const calls =
  (param: string, method: string, args: object = {}): Rule =>
  (world, input) => {
    const target = entity(world, input[param]);
    return [...need('System.Read', target), ...needed(world, target, method, { ...args })];
  };

const atRoot =
  (...privileges: string[]): Rule =>
  () =>
    privileges.flatMap((privilege) =>
      need(privilege.startsWith('System.') ? privilege : `InventoryService.Tagging.${privilege}`, ROOT),
    );

const readsObject: Rule = (world, { object_id: object }) =>
  need('System.Read', entity(world, (object as { id: string }).id));

const attaches: Rule = (world, input) => [
  ...need('InventoryService.Tagging.AttachTag', ROOT),
  ...readsObject(world, input),
  ...need('InventoryService.Tagging.ObjectAttachable', entity(world, (input['object_id'] as { id: string }).id)),
];

const detaches: Rule = (world, input) => [
  ...need('InventoryService.Tagging.AttachTag', ROOT),
  ...readsObject(world, input),
];

interface Placement {
  readonly folder: string;
  readonly resource_pool: string;
  readonly datastore: string;
}

function placed(
  world: World,
  { placement }: { readonly placement: Placement },
): { folder: MoRef; pool: MoRef; needs: Need[] } {
  const folder = entity(world, placement.folder);
  const pool = entity(world, placement.resource_pool);
  return { folder, pool, needs: need('System.Read', folder) };
}

const creates: Rule = (world, { spec }) => {
  const asked = spec as { readonly name: string; readonly placement: Placement };
  const { folder, pool, needs } = placed(world, asked);
  const datastore = entity(world, asked.placement.datastore);
  const files = { vmPathName: `[${world.center.read<string>(datastore, 'name')}]` };
  return [
    ...needs,
    ...need('System.Read', datastore),
    ...needed(world, folder, 'CreateVM_Task', { config: { files }, pool }),
  ];
};

const registers: Rule = (world, { spec }) => {
  const asked = spec as { readonly datastore_path: string; readonly placement: Placement };
  const { folder, pool, needs } = placed(world, asked);
  return [...needs, ...needed(world, folder, 'RegisterVM_Task', { path: asked.datastore_path, pool })];
};

/** A host that stands alone goes with its compute resource. */
const removesHost: Rule = (world, { host }) => {
  const target = entity(world, host);
  const compute = world.center.service.graph.find(target)?.parent;
  const isAlone = compute?.type === 'ComputeResource';
  return [...need('System.Read', target), ...(isAlone ? needed(world, compute, 'Destroy_Task', {}) : [])];
};

const inSpec =
  (field: string, method: string, args: object = {}): Rule =>
  (world, { spec }) =>
    needed(world, entity(world, (spec as Record<string, unknown>)[field]), method, { ...args });

const TAGS: Readonly<Record<string, Rule>> = {
  'category create': atRoot('CreateCategory'),
  'category get': atRoot('System.Read'),
  'category update': atRoot('EditCategory'),
  'category delete': atRoot('DeleteCategory'),
  'category list': OPEN,
  'category list_used_categories': OPEN,
  'category add_to_used_by': atRoot('ModifyUsedByForCategory'),
  'category remove_from_used_by': atRoot('ModifyUsedByForCategory'),
  'tag create': atRoot('CreateTag'),
  'tag get': atRoot('System.Read'),
  'tag update': atRoot('EditTag'),
  'tag delete': atRoot('DeleteTag'),
  'tag list': OPEN,
  'tag list_used_tags': OPEN,
  'tag list_tags_for_category': atRoot('System.Read'),
  'tag add_to_used_by': atRoot('ModifyUsedByForTag'),
  'tag remove_from_used_by': atRoot('ModifyUsedByForTag'),
  'tag_association attach': attaches,
  'tag_association detach': detaches,
  // Each tag is refused by itself.
  'tag_association attach_multiple_tags_to_object': readsObject,
  'tag_association detach_multiple_tags_from_object': readsObject,
  'tag_association attach_tag_to_multiple_objects': atRoot('AttachTag'),
  'tag_association detach_tag_from_multiple_objects': atRoot('AttachTag'),
  'tag_association list_attached_objects': atRoot('System.Read'),
  'tag_association list_attached_objects_on_tags': OPEN,
  'tag_association list_attached_tags': readsObject,
  'tag_association list_attached_tags_on_objects': OPEN,
  'tag_association list_attachable_tags': readsObject,
};

const INVENTORY: Readonly<Record<string, Rule>> = {
  'datacenter list': OPEN,
  'datacenter get': reads('datacenter'),
  'datacenter create': inSpec('folder', 'CreateDatacenter'),
  'datacenter delete': calls('datacenter', 'Destroy_Task'),
  'folder list': OPEN,
  'cluster list': OPEN,
  'cluster get': reads('cluster'),
  'host list': OPEN,
  'host create': inSpec('folder', 'AddStandaloneHost_Task'),
  'host delete': removesHost,
  'host connect': calls('host', 'ReconnectHost_Task'),
  'host disconnect': calls('host', 'DisconnectHost_Task'),
  'datastore list': OPEN,
  'datastore get': reads('datastore'),
  'network list': OPEN,
  'resource_pool list': OPEN,
  'resource_pool get': reads('resource_pool'),
  'resource_pool create': inSpec('parent', 'CreateResourcePool'),
  'resource_pool update': calls('resource_pool', 'UpdateConfig'),
  'resource_pool delete': calls('resource_pool', 'Destroy_Task'),
  'VM list': OPEN,
  'VM get': reads('vm'),
  'VM create': creates,
  'VM delete': calls('vm', 'Destroy_Task'),
  'VM unregister': calls('vm', 'UnregisterVM'),
  'VM register': registers,
  'vm.power get': reads('vm'),
  'vm.power start': calls('vm', 'PowerOnVM_Task'),
  'vm.power stop': calls('vm', 'PowerOffVM_Task'),
  'vm.power suspend': calls('vm', 'SuspendVM_Task'),
  'vm.power reset': calls('vm', 'ResetVM_Task'),
  'vm.guest.power get': reads('vm'),
  'vm.guest.power shutdown': calls('vm', 'ShutdownGuest'),
  'vm.guest.power reboot': calls('vm', 'RebootGuest'),
  'vm.guest.power standby': calls('vm', 'StandbyGuest'),
  'vm.guest.identity get': reads('vm'),
  'vm.guest.local_filesystem get': reads('vm'),
  'vm.tools get': reads('vm'),
};

/** Undefined: nobody has said what the operation needs. */
export function needsOf(service: string, name: string): Rule | typeof DOMAIN_ONLY | undefined {
  // Logout is a method like others.
  if (service === 'com.vmware.cis.session') return name === 'delete' ? () => need('System.View', ROOT) : OPEN;
  if (service.startsWith('org.vivarium.sso.')) return DOMAIN_ONLY;
  const [, tagging] = /^com\.vmware\.cis\.tagging\.(.*)$/.exec(service) ?? [];
  const [, inventory] = /^com\.vmware\.vcenter\.(.*)$/.exec(service) ?? [];
  return tagging === undefined ? INVENTORY[`${inventory} ${name}`] : TAGS[`${tagging} ${name}`];
}
