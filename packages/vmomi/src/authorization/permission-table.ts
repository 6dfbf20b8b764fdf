// Which role a principal has on which entity, and what follows for the entities below. Pure but for its own memory.
import type { MoRef } from '@vivarium/vim';
import { RefMap } from '../graph/ref-map.ts';

export interface Grant {
  readonly entity: MoRef;
  readonly principal: string;
  readonly isGroup: boolean;
  readonly roleId: number;
  readonly propagate: boolean;
}

export interface Who {
  readonly userName: string;
  readonly groups: readonly string[];
}

const NONE: readonly Grant[] = [];

export class PermissionTable {
  readonly #byEntity = new RefMap<readonly Grant[]>();
  #count = 0;

  get count(): number {
    return this.#count;
  }

  put(grant: Grant): void {
    this.delete(grant.entity, grant.principal, grant.isGroup);
    this.#byEntity.set(grant.entity, [...this.on(grant.entity), grant]);
    this.#count += 1;
  }

  /** The grant that was there. */
  delete(entity: MoRef, principal: string, isGroup: boolean): Grant | undefined {
    const grants = this.on(entity);
    const gone = grants.find((grant) => grant.principal === principal && grant.isGroup === isGroup);
    if (!gone) return undefined;
    const rest = grants.filter((grant) => grant !== gone);
    if (rest.length > 0) this.#byEntity.set(entity, rest);
    else this.#byEntity.delete(entity);
    this.#count -= 1;
    return gone;
  }

  /** Set on exactly this entity. */
  on(entity: MoRef): readonly Grant[] {
    return this.#byEntity.get(entity) ?? NONE;
  }

  /** Whether anything is set on exactly this entity. */
  has(entity: MoRef): boolean {
    return this.#byEntity.get(entity) !== undefined;
  }

  all(): Grant[] {
    return this.#byEntity.values().flat();
  }

  /**
   * The roles that somebody has on the first entity of `chain` (an entity, its parent, … up to the root). The nearest
   * entity with a matching permission decides alone; there, a permission of the user's own hides those of its groups,
   * and several groups add up (vSphere Security, "Hierarchical inheritance of permissions").
   */
  rolesOf(who: Who, chain: readonly MoRef[]): number[] {
    return this.#nearestRoles(who, chain, false);
  }

  /** As rolesOf, for something below the first entity of `chain` on which nothing is set. */
  inheritedRolesOf(who: Who, chain: readonly MoRef[]): number[] {
    return this.#nearestRoles(who, chain, true);
  }

  #nearestRoles(who: Who, chain: readonly MoRef[], isBelow: boolean): number[] {
    for (const [distance, entity] of chain.entries()) {
      const set = this.on(entity);
      if (set.length === 0) continue;
      const here = set.filter((grant) => (distance === 0 && !isBelow) || grant.propagate);
      const own = here.find((grant) => !grant.isGroup && grant.principal === who.userName);
      if (own) return [own.roleId];
      const shared = here.filter((grant) => grant.isGroup && who.groups.includes(grant.principal));
      if (shared.length > 0) return shared.map(({ roleId }) => roleId);
    }
    return [];
  }

  /** The entities on which somebody has a permission of its own or of its groups. */
  entitiesOf(who: Who): MoRef[] {
    return this.all()
      .filter((grant) => (grant.isGroup ? who.groups.includes(grant.principal) : grant.principal === who.userName))
      .map(({ entity }) => entity);
  }
}
