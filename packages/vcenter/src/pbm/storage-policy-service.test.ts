import assert from 'node:assert/strict';
import { type TestContext, test } from 'node:test';
import {
  decodeSoapResponse,
  encodeSoapRequest,
  isFault,
  type MoRef,
  moRef,
  type PbmServiceInstanceContent,
  schema,
} from '@vivarium/vim';
import { ADMIN, smallCenter } from '../testing/small-center.ts';
import { DATACENTER } from '../testing/small-inventory.ts';

const NEWEST = '9.0.0.0';
const INSTANCE = moRef('PbmServiceInstance', 'ServiceInstance') as MoRef;

async function world(context: TestContext) {
  const center = await smallCenter(context);
  const post = async (url: string, body: string, action: string) => {
    const headers = { 'content-type': 'text/xml; charset=utf-8', soapaction: action };
    return (await center.app.inject({ method: 'POST', url, headers, payload: body })).body;
  };
  const { 'vmware-api-session-id': session = '' } = await center.logIn(ADMIN.userName, ADMIN.password);
  /** As pyVmomi and govmomi do: the session in the SOAP header. */
  const ask = async <R>(ref: MoRef, method: string, args: object = {}, vcSessionCookie = session): Promise<R> => {
    const request = encodeSoapRequest(method, ref, { ...args }, NEWEST, { vcSessionCookie });
    const text = await post('/pbm', request, '"urn:pbm/2.0"');
    const type = schema.method(ref.type, method)?.result ?? 'void';
    return decodeSoapResponse(type, text, NEWEST) as R;
  };
  const content = await ask<PbmServiceInstanceContent>(INSTANCE, 'PbmRetrieveServiceContent', {}, '');
  return { ...center, post, ask, content, profiles: content.profileManager as MoRef };
}

function fault(type: 'PbmFault' | 'PbmNonExistentHubs' | 'InvalidArgument' | 'NotSupported' | 'NoPermission') {
  return (error: unknown) => isFault(error, type);
}

void test('the content is there for everybody, in the namespace of the service', async (context) => {
  const { content, post } = await world(context);
  assert.equal(content.aboutInfo.name, 'PBM');
  assert.equal(content.profileManager.value, 'ProfileManager');
  const request = encodeSoapRequest('PbmRetrieveServiceContent', INSTANCE, {}, NEWEST);
  for (const path of ['/pbm', '/pbm/', '/pbm/sdk']) {
    const text = await post(path, request, 'urn:pbm/9.0.0.0');
    assert.match(text, /<PbmRetrieveServiceContentResponse xmlns="urn:pbm"><returnval><aboutInfo>/, path);
  }
});

void test('each door serves its own objects alone', async (context) => {
  const { post, app } = await world(context);
  const pbm = encodeSoapRequest('PbmRetrieveServiceContent', INSTANCE, {}, NEWEST);
  assert.match(await post('/sdk', pbm, 'urn:vim25/9.0.0.0'), /MethodNotFoundFault/);
  const vim = encodeSoapRequest('CurrentTime', moRef('ServiceInstance', 'ServiceInstance'), {}, NEWEST);
  assert.match(await post('/pbm', vim, 'urn:pbm/2.0'), /MethodNotFoundFault/);
  const json = await app.inject({
    method: 'POST',
    url: '/sdk/vim25/9.0.0.0/PbmServiceInstance/ServiceInstance/PbmRetrieveServiceContent',
  });
  assert.equal(json.statusCode, 404);
});

void test('nothing has a policy, and nothing is said to have one', async (context) => {
  const { ask, profiles, content } = await world(context);
  const storage = { resourceType: { _typeName: 'PbmProfileResourceType', resourceType: 'STORAGE' } };
  assert.deepEqual(await ask(profiles, 'PbmQueryProfile', { ...storage, profileCategory: 'REQUIREMENT' }), []);
  assert.deepEqual(await ask(profiles, 'PbmRetrieveContent', { profileIds: [] }), []);
  const entity = (key: string, objectType = 'virtualMachine') => ({ _typeName: 'PbmServerObjectRef', objectType, key });
  assert.deepEqual(await ask(profiles, 'PbmQueryAssociatedProfile', { entity: entity('vm-31') }), []);
  assert.deepEqual(
    await ask(profiles, 'PbmQueryAssociatedProfile', { entity: entity('vm-31:2000', 'virtualDiskId') }),
    [],
  );
  const found = await ask<{ object: { key: string }; fault?: { fault: { _typeName: string } } }[]>(
    profiles,
    'PbmQueryAssociatedProfiles',
    { entities: [entity('vm-31'), entity('vm-999')] },
  );
  assert.deepEqual(
    found.map(({ object, fault: said }) => [object.key, said?.fault._typeName]),
    [
      ['vm-31', undefined],
      ['vm-999', 'PbmFaultNotFound'],
    ],
  );
  const hub = { _typeName: 'PbmPlacementHub', hubType: 'Datastore', hubId: 'datastore-12' };
  assert.equal(await ask(profiles, 'PbmQueryDefaultRequirementProfile', { hub }), undefined);
  const fits = await ask<{ hub: { hubId: string } }[]>(content.placementSolver as MoRef, 'PbmCheckRequirements');
  assert.deepEqual(
    fits.map((one) => one.hub.hubId),
    ['datastore-12'],
  );
  const [compliance] = await ask<{ complianceStatus: string }[]>(
    content.complianceManager as MoRef,
    'PbmCheckCompliance',
    { entities: [entity('vm-31')] },
  );
  assert.equal(compliance?.complianceStatus, 'notApplicable');
});

void test('what names a policy is refused, and so is what would make one', async (context) => {
  const { ask, profiles, content } = await world(context);
  const profile = { _typeName: 'PbmProfileId', uniqueId: 'aa6d5a82-1c88-45da-85d3-3d74b91a5bad' };
  await assert.rejects(ask(profiles, 'PbmRetrieveContent', { profileIds: [profile] }), fault('InvalidArgument'));
  await assert.rejects(ask(profiles, 'PbmDelete', { profileId: [profile] }), fault('NotSupported'));
  const solver = content.placementSolver as MoRef;
  await assert.rejects(ask(solver, 'PbmCheckCompatibility', { profile }), fault('InvalidArgument'));
  const missing = { _typeName: 'PbmServerObjectRef', objectType: 'datastore', key: 'datastore-9' };
  await assert.rejects(ask(profiles, 'PbmQueryAssociatedProfile', { entity: missing }), fault('PbmFault'));
  const hub = { _typeName: 'PbmPlacementHub', hubType: 'Datastore', hubId: 'datastore-9' };
  await assert.rejects(
    ask(profiles, 'PbmFindApplicableDefaultProfile', { datastores: [hub] }),
    fault('PbmNonExistentHubs'),
  );
});

void test('policies are read with a login and the privilege for it', async (context) => {
  const { ask, profiles, domain, service, logIn } = await world(context);
  await assert.rejects(ask(profiles, 'PbmFetchResourceType', {}, ''), (error) => isFault(error, 'NotAuthenticated'));
  await domain.addUser('ann', 'Sesame.1');
  await service.authorization.grant(DATACENTER, [
    { principal: 'VIVARIUM.LOCAL\\ann', isGroup: false, roleId: -1, propagate: true },
  ]);
  const { 'vmware-api-session-id': session = '' } = await logIn('ann', 'Sesame.1');
  await assert.rejects(ask(profiles, 'PbmFetchResourceType', {}, session), fault('NoPermission'));
});
