// The Folder object of every kind of folder.
import type { Center } from '../center.ts';
import type { EntityFace } from '../publish/publisher.ts';
import { folderMethods } from './folder-methods.ts';

export function folderFace(center: Center): EntityFace<'Folder'> {
  return {
    handlers: (ref) => folderMethods(center, ref),
    properties: (_ref, { childType }) => ({ childType: [...childType], childEntity: [] }),
    // A datacenter names its own folders itself.
    listings: ({ parent, isFixed }) => (isFixed ? [] : [{ owner: parent, property: 'childEntity' }]),
  };
}
