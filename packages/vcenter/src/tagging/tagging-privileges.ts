// Who may do what with tags. Tags and categories are no objects of the tree: what a user may do with them is what the
// user may do at the root, where vCenter looks at the global permissions.
import { type ManagedObjectReference, MethodFault, type MoRef, schema } from '@vivarium/vim';
import { type Call, knownReference, type ManagedObject, type Service } from '@vivarium/vmomi';
import type { VapiError } from '../rest/vapi-error.ts';
import { invalid, notFound } from './tagging-model.ts';

export type TaggingPrivilege =
  | 'AttachTag'
  | 'CreateCategory'
  | 'CreateTag'
  | 'DeleteCategory'
  | 'DeleteTag'
  | 'EditCategory'
  | 'EditTag'
  | 'ModifyUsedByForCategory'
  | 'ModifyUsedByForTag';

export class TaggingPrivileges {
  readonly #service: Service;

  constructor(service: Service) {
    this.#service = service;
  }

  /** The object that a client means, as it is called itself: a distributed port group may come as a Network. */
  refOf(object: ManagedObjectReference): ManagedObjectReference {
    return knownReference(this.#service.graph, object);
  }

  /** Whether the caller sees tags and categories at all. */
  mayRead({ session }: Call): boolean {
    return this.#service.authorization.holds(session, this.#root(), 'System.Read');
  }

  /** Fault: NoPermission. */
  requireRead({ session }: Call): void {
    this.#service.authorization.check(session, this.#root(), 'System.Read');
  }

  /** Fault: NoPermission. */
  require({ session }: Call, privilege: TaggingPrivilege): void {
    this.#service.authorization.check(session, this.#root(), `InventoryService.Tagging.${privilege}`);
  }

  mayReadObject({ session }: Call, ref: ManagedObjectReference): boolean {
    const object = this.#find(ref);
    return object !== undefined && this.#service.authorization.holds(session, object, 'System.Read');
  }

  /** Fault: NoPermission. Error: not_found, for those alone who see everything. */
  requireReadObject(call: Call, ref: ManagedObjectReference): void {
    this.#service.authorization.check(call.session, this.#require(call, ref, notFound(ref.value)), 'System.Read');
  }

  /** As vCenter since 7.0: a privilege on the object too. Fault: NoPermission. Error: invalid_argument. */
  requireAttachable(call: Call, ref: ManagedObjectReference): void {
    const { authorization } = this.#service;
    const missing = invalid(`There is no object ${ref.type}:${ref.value}.`, ref.value);
    const object = this.#require(call, ref, missing);
    authorization.check(call.session, object, 'System.Read');
    authorization.check(call.session, object, 'InventoryService.Tagging.ObjectAttachable');
  }

  /** Whoever does not see everything is not told whether the object exists. */
  #require(call: Call, ref: ManagedObjectReference, missing: VapiError): ManagedObject {
    const object = this.#find(ref);
    if (object) return object;
    if (this.mayRead(call)) throw missing;
    const { type, value } = ref;
    throw new MethodFault('NoPermission', { object: { type, value } as MoRef, privilegeId: 'System.Read' });
  }

  #find({ type, value }: ManagedObjectReference): ManagedObject | undefined {
    return schema.isSubtype(type, 'ManagedEntity') ? this.#service.graph.find({ type, value } as MoRef) : undefined;
  }

  #root(): ManagedObject {
    return this.#service.graph.get(this.#service.rootFolder) as ManagedObject;
  }
}
