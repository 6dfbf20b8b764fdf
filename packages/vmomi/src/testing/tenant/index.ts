// For tests of daemons: what a user with rights on a part of the inventory sees and changes through its doors, against an oracle.
export { ask, fetchFrom, read } from './ask.ts';
export { type Callee, compareChanges } from './changes.ts';
export { ancestors, content, type Doors, keys, listOf } from './door.ts';
export { DOORS } from './doors/index.ts';
export { compareLease } from './doors/leases.ts';
export { acquireServiceTicket, compareWithoutLogin, nobody } from './doors/service.ts';
export { type Draw, drawFor, seededDraw } from './draw.ts';
export { fileNeeds } from './file-needs.ts';
export { type Need, need, onDatastore } from './need.ts';
export { needed } from './needed.ts';
export type { Person } from './oracle.ts';
export { picture, quiet } from './picture.ts';
export { comparePrivileges } from './privileges.ts';
export { recordRoutes } from './record-routes.ts';
export { compareSights } from './sees.ts';
export { permissionWorld, type Served, type Tenant, type World } from './world.ts';
