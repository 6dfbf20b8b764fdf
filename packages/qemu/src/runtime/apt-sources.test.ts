import assert from 'node:assert/strict';
import { test } from 'node:test';
import { chooseMirror, parseDeb822Sources, parseOsRelease, parseSourcesList } from './apt-sources.ts';

void test('one-line sources with options, comments and other archives are read', () => {
  const sources = parseSourcesList(`
# deb http://old.example/debian bookworm main
deb [arch=amd64 signed-by=/usr/share/keyrings/cloud.gpg] https://cloud.example/apt cloud main
deb-src http://mirror.example/debian bookworm main
deb http://security.example/debian-security bookworm-security main
deb [ signed-by=/a.gpg,/b.gpg ] http://mirror.example/debian/ bookworm main contrib # local
`);
  assert.equal(sources.length, 4);
  assert.deepEqual(chooseMirror(sources, 'bookworm'), {
    uri: 'http://mirror.example/debian/',
    signedBy: '/a.gpg /b.gpg',
  });
});

void test('deb822 sources: the first enabled stanza that serves the release itself is the mirror', () => {
  const sources = parseDeb822Sources(`Types: deb
URIs: https://nodes.example/apt
Suites: nodistro
Components: main

Enabled: no
Types: deb
URIs: http://disabled.example/debian
Suites: trixie
Components: main

# a comment
Types: deb deb-src
URIs: cdrom:[Debian] http://mirror.example/debian
Suites: trixie trixie-updates
Components: main
 contrib
Signed-By: /usr/share/keyrings/debian-archive-keyring.gpg

Types: deb
URIs: http://mirror.example/debian-security
Suites: trixie-security
Components: main
`);
  assert.deepEqual(chooseMirror(sources, 'trixie'), {
    uri: 'http://mirror.example/debian',
    signedBy: '/usr/share/keyrings/debian-archive-keyring.gpg',
  });
});

void test('an armoured key in Signed-By keeps its lines', () => {
  const [source] = parseDeb822Sources(
    'Types: deb\nURIs: http://m.example/debian\nSuites: trixie\nComponents: main\nSigned-By:\n -----BEGIN PGP\n .\n abc\n',
  );
  assert.equal(source?.signedBy, '\n -----BEGIN PGP\n .\n abc');
});

void test('a machine without a Debian archive has no mirror', () => {
  assert.equal(chooseMirror(parseSourcesList('deb http://ubuntu.example/ubuntu noble main'), 'trixie'), undefined);
  assert.equal(chooseMirror([], 'trixie'), undefined);
});

void test('os-release values come without their quotes', () => {
  const release = parseOsRelease('ID=debian\nVERSION_CODENAME="bookworm"\nPRETTY_NAME=\'Debian 12\'\n# x\n');
  assert.equal(release.get('ID'), 'debian');
  assert.equal(release.get('VERSION_CODENAME'), 'bookworm');
  assert.equal(release.get('PRETTY_NAME'), 'Debian 12');
});
