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

  /** Entities that have any. */
  get entityCount(): number {
    return this.#byEntity.size;
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
   * The roles that somebody has by what is set on exactly this entity: a permission of the user's own hides those of its
   * groups, and several groups add up (vSphere Security, "Multiple Permission Settings").
   */
  rolesOn(who: Who, entity: MoRef): number[] {
    return rolesAmong(who, this.on(entity));
  }

  /**
   * The roles that somebody has on what is below the first entity of `chain` (an entity, its parent, … up to the root): the
   * nearest entity with a matching permission that propagates decides alone.
   */
  inheritedRolesOf(who: Who, chain: Iterable<MoRef>): number[] {
    for (const entity of chain) {
      const set = this.on(entity);
      if (set.length === 0) continue;
      const roles = rolesAmong(
        who,
        set.filter(({ propagate }) => propagate),
      );
      if (roles.length > 0) return roles;
    }
    return [];
  }

  /** The entities on which somebody has one of its roles for which `counts`, by what is set on exactly them. */
  entitiesOf(who: Who, counts: (roleId: number) => boolean): MoRef[] {
    return this.#byEntity.values().flatMap((grants) => {
      const [first] = grants;
      return first && rolesAmong(who, grants).some(counts) ? [first.entity] : [];
    });
  }
}

function rolesAmong(who: Who, grants: readonly Grant[]): number[] {
  const own = grants.find((grant) => !grant.isGroup && grant.principal === who.userName);
  if (own) return [own.roleId];
  const shared = grants.filter((grant) => grant.isGroup && who.groups.includes(grant.principal));
  return shared.map(({ roleId }) => roleId);
}
