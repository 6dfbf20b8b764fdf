import assert from 'node:assert/strict';
import { test } from 'node:test';
import { jailImage, sourceFiles } from './image.ts';

void test('a qcow2 without a known chain may not open what its header names', () => {
  const { fileName, binds } = jailImage({ driver: 'qcow2', file: '/d/a.qcow2' }, { name: 'source' });
  assert.equal(
    fileName,
    'json:{"driver":"qcow2","backing":null,"file":{"driver":"file","filename":"/image/source/data"}}',
  );
  assert.deepEqual(binds, [{ host: '/d/a.qcow2', inside: '/image/source/data', writable: false }]);
});

void test('a chain is spelled out, and only its head is writable', () => {
  const source = { driver: 'qcow2', file: '/d/top', backing: { driver: 'raw', file: '/d/base' } } as const;
  const { fileName, binds } = jailImage(source, { name: 's', writable: true });
  assert.match(
    fileName,
    /"backing":\{"driver":"raw","file":\{"driver":"file","filename":"\/image\/s\/backing\/data"\}\}/,
  );
  assert.deepEqual(
    binds.map(({ writable }) => writable),
    [true, false],
  );
  assert.deepEqual(sourceFiles(source), ['/d/top', '/d/base']);
});

void test('extents keep their names beside the descriptor; other places and odd names are refused', () => {
  const vmdk = (file: string, ...extents: string[]) => jailImage({ driver: 'vmdk', file, extents }, { name: 's' });
  assert.deepEqual(
    vmdk('/d/a b.vmdk', '/d/a b-flat.vmdk').binds.map(({ inside }) => inside),
    ['/image/s/a b.vmdk', '/image/s/a b-flat.vmdk'],
  );
  assert.throws(() => vmdk('/d/a.vmdk', '/etc/passwd'), /not beside/);
  assert.throws(() => vmdk('/d/a.vmdk', '/d/nbd:host:1'), /plain file name/);
  assert.throws(() => vmdk('/d/json:{}.vmdk'), /plain file name/);
});
