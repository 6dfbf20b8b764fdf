// For tests: who may do what where, worked out anew for every question in the plainest way. Shares nothing with the product.
// Source: vSphere Security, "Hierarchical Inheritance of Permissions" and "Multiple Permission Settings".

/** `Type:value` of an entity. */
export type Key = string;

export interface Tree {
  /** What an entity has its permissions from: its folder first, for a VM its resource pool too; nothing for the root. */
  parentsOf(entity: Key): readonly Key[];
  readonly root: Key;
}

export interface Permission {
  readonly entity: Key;
  readonly principal: string;
  readonly isGroup: boolean;
  readonly role: string;
  readonly propagate: boolean;
}

export interface Person {
  readonly userName: string;
  readonly groups: readonly string[];
}

export const NO_ACCESS = 'NoAccess';

export interface Rules {
  readonly tree: Tree;
  readonly permissions: readonly Permission[];
  /** Role → privileges. NoAccess has none. */
  readonly roles: ReadonlyMap<string, ReadonlySet<string>>;
}

export function may(rules: Rules, who: Person, entity: Key, privilege: string): boolean {
  if (privilege === 'System.Anonymous') return true;
  const roles = rolesAt(rules, who, entity, true);
  if (roles.length > 0) return roles.some((role) => rules.roles.get(role)?.has(privilege));
  return privilege === 'System.View' && isAboveSomething(rules, who, entity);
}

/** Whether somebody holds more than to see and read there. */
export function mayChange(rules: Rules, who: Person, entity: Key): boolean {
  return rolesAt(rules, who, entity, true).some((role) =>
    [...(rules.roles.get(role) ?? [])].some((privilege) => !privilege.startsWith('System.')),
  );
}

function rolesAt(rules: Rules, who: Person, entity: Key, isHere: boolean): string[] {
  const set = rolesSetOn(
    rules.permissions.filter((one) => one.entity === entity && (isHere || one.propagate)),
    who,
  );
  if (set.length > 0) return set;
  return rules.tree.parentsOf(entity).flatMap((parent) => rolesAt(rules, who, parent, false));
}

/** A permission of the user's own hides those of its groups; several groups add up. */
function rolesSetOn(permissions: readonly Permission[], who: Person): string[] {
  const own = permissions.filter((one) => !one.isGroup && one.principal === who.userName);
  if (own.length > 0) return own.map(({ role }) => role);
  return permissions.filter((one) => one.isGroup && who.groups.includes(one.principal)).map(({ role }) => role);
}

/** Whoever has anything below an entity sees that the entity is there. */
function isAboveSomething({ tree, permissions }: Rules, who: Person, entity: Key): boolean {
  const places = new Set(permissions.map((one) => one.entity));
  return [...places].some((place) => {
    const roles = rolesSetOn(
      permissions.filter((one) => one.entity === place),
      who,
    );
    if (roles.every((role) => role === NO_ACCESS)) return false;
    for (let at: Key | undefined = place; at !== undefined; at = tree.parentsOf(at)[0]) if (at === entity) return true;
    return false;
  });
}
