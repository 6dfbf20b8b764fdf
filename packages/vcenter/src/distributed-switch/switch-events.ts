// The events of distributed switches and their port groups.
import { type DVPortgroupConfigSpec, type DVSConfigSpec, type MoRef, make } from '@vivarium/vim';
import type { Call } from '@vivarium/vmomi';
import type { Center } from '../center.ts';

type SwitchNews =
  | { readonly kind: 'DvsCreatedEvent'; readonly folder: MoRef<'Folder'> }
  | { readonly kind: 'DvsReconfiguredEvent'; readonly configSpec: DVSConfigSpec }
  | { readonly kind: 'DvsRenamedEvent'; readonly oldName: string; readonly newName: string }
  | { readonly kind: 'DvsHostJoinedEvent' | 'DvsHostLeftEvent'; readonly host: MoRef<'HostSystem'> }
  | { readonly kind: 'DvsDestroyedEvent' };

type PortgroupNews =
  | { readonly kind: 'DVPortgroupCreatedEvent' | 'DVPortgroupDestroyedEvent' }
  | { readonly kind: 'DVPortgroupReconfiguredEvent'; readonly configSpec: DVPortgroupConfigSpec }
  | { readonly kind: 'DVPortgroupRenamedEvent'; readonly oldName: string; readonly newName: string };

export function switchEvent(
  { service, inventory }: Center,
  ref: MoRef<'VmwareDistributedVirtualSwitch'>,
  news: SwitchNews,
  call: Call,
): void {
  const { name } = inventory.get(ref);
  const dvs = make('DvsEventArgument', { name, dvs: ref });
  const { events } = service;
  const hostOf = (host: MoRef<'HostSystem'>) =>
    make('HostEventArgument', { name: inventory.find(host)?.name ?? '', host });
  switch (news.kind) {
    case 'DvsCreatedEvent': {
      const parent = make('FolderEventArgument', { name: inventory.get(news.folder).name, folder: news.folder });
      return void events.post({ _typeName: news.kind, dvs, parent }, call);
    }
    case 'DvsReconfiguredEvent':
      return void events.post({ _typeName: news.kind, dvs, configSpec: news.configSpec }, call);
    case 'DvsRenamedEvent':
      return void events.post({ _typeName: news.kind, dvs, oldName: news.oldName, newName: news.newName }, call);
    case 'DvsHostJoinedEvent':
      return void events.post({ _typeName: news.kind, dvs, hostJoined: hostOf(news.host) }, call);
    case 'DvsHostLeftEvent':
      return void events.post({ _typeName: news.kind, dvs, hostLeft: hostOf(news.host) }, call);
    case 'DvsDestroyedEvent':
      return void events.post({ _typeName: news.kind, dvs }, call);
  }
}

export function portgroupEvent(
  { service, inventory }: Center,
  ref: MoRef<'DistributedVirtualPortgroup'>,
  news: PortgroupNews,
  call: Call,
): void {
  const { name, dvs: owner } = inventory.get(ref);
  const about = {
    net: make('NetworkEventArgument', { name, network: ref as MoRef as MoRef<'Network'> }),
    dvs: make('DvsEventArgument', { name: inventory.get(owner).name, dvs: owner }),
  };
  const { events } = service;
  if (news.kind === 'DVPortgroupReconfiguredEvent') {
    events.post({ _typeName: news.kind, ...about, configSpec: news.configSpec }, call);
  } else if (news.kind === 'DVPortgroupRenamedEvent') {
    events.post({ _typeName: news.kind, ...about, oldName: news.oldName, newName: news.newName }, call);
  } else events.post({ _typeName: news.kind, ...about }, call);
}
