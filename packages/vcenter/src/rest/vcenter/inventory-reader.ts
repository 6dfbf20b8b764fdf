// The inventory as one caller may see it: what cannot be read is not listed, and reading it is refused as at the SOAP door.
import {
  type ManagedObjectReference,
  type ManagedTypeName,
  MethodFault,
  type MoRef,
  moRef,
  schema,
} from '@vivarium/vim';
import type { Call, ManagedObject, Service } from '@vivarium/vmomi';

/** Deeper than any inventory. */
const MOST_LEVELS = 64;

export class InventoryReader {
  readonly #service: Service;

  constructor(service: Service) {
    this.#service = service;
  }

  mayRead({ session }: Call, object: ManagedObject): boolean {
    return this.#service.authorization.holds(session, object, 'System.Read');
  }

  /** Objects of exactly these types, readable or not. */
  all(types: readonly ManagedTypeName[]): ManagedObject[] {
    return types.flatMap((type) => [...this.#service.graph.ofType(type)] as unknown as ManagedObject[]);
  }

  /** The object of one of these types with this id, readable or not. */
  find(types: readonly ManagedTypeName[], id: string): ManagedObject | undefined {
    for (const type of types) {
      const object = this.#service.graph.find(moRef(type, id) as MoRef);
      if (object) return object;
    }
    return undefined;
  }

  /** Faults: ManagedObjectNotFound, NoPermission. */
  get(types: readonly [ManagedTypeName, ...ManagedTypeName[]], id: string, call: Call): ManagedObject {
    const object = this.find(types, id);
    if (!object) throw new MethodFault('ManagedObjectNotFound', { obj: moRef(types[0], id) as MoRef });
    this.#service.authorization.check(call.session, object, 'System.Read');
    return object;
  }

  /** The nearest entity of a type above an object, or the object itself. */
  above(object: ManagedObject, type: ManagedTypeName): ManagedObjectReference | undefined {
    let at: ManagedObject | undefined = object;
    for (let level = 0; at && level < MOST_LEVELS; level += 1) {
      if (schema.isSubtype(at.ref.type, type)) return at.ref;
      const parent = (at.getPath('parent') ?? at.getPath('parentVApp')) as MoRef | undefined;
      at = parent && this.#service.graph.find(parent);
    }
    return undefined;
  }

  objectOf(ref: ManagedObjectReference | undefined): ManagedObject | undefined {
    return ref && this.#service.graph.find(ref as MoRef);
  }
}
