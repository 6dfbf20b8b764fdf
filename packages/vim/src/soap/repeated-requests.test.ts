import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isFault } from '../method-fault.ts';
import { decodeSoapRequest } from './decode-request.ts';
import { RepeatedRequests } from './repeated-requests.ts';

const FIXTURES = `${import.meta.dirname}/../../fixtures/requests`;
const ACTION = '"urn:vim25/8.0.3.0"';
const OPTIONS = '<options><maxWaitSeconds>30</maxWaitSeconds></options>';

const envelope = (inside: string) =>
  Buffer.from(
    `<Envelope xmlns="http://schemas.xmlsoap.org/soap/envelope/"><Body><WaitForUpdatesEx xmlns="urn:vim25"><_this type="PropertyCollector">propertyCollector</_this>${inside}</WaitForUpdatesEx></Body></Envelope>`,
  );
const wait = (version: string, options = OPTIONS) => envelope(`<version>${version}</version>${options}`);

/** Each body is asked for twice, so that the second time it is a known one. */
function sameAsDecoded(bodies: readonly Uint8Array[], actions: readonly (string | undefined)[] = [ACTION]): void {
  const repeated = new RepeatedRequests();
  for (let round = 0; round < 2; round++) {
    for (const action of actions)
      for (const body of bodies) assert.deepEqual(repeated.decode(body, action), decodeSoapRequest(body, action));
  }
}

test('a request is read the same however often, and whatever its version is', () => {
  sameAsDecoded(['1', '2', '17', '18', '007', '123456789012345', '1234567890123456', '', '3.1'].map((v) => wait(v)));
});

test('bodies that differ in anything else are told apart', () => {
  const other = '<options><maxWaitSeconds>31</maxWaitSeconds></options>';
  sameAsDecoded(
    [wait('1'), wait('1', other), wait('2', other), wait('2'), wait('2', '')],
    [ACTION, '"urn:vim25/6.5"', undefined],
  );
});

test('a version in a comment, in CDATA or in a header is none', () => {
  const tricks = [1, 2, 3].flatMap((digit) => [
    envelope(`<!-- <version>${digit}</version> --><version>1</version>`),
    envelope(`<!-- <version>${digit}</version> --><version>2</version>`),
    envelope(`<version><![CDATA[${digit}]]></version>`),
    envelope(`<version>1<!-- </version>${digit}</version> --></version>`),
    envelope(`<options><version>${digit}</version></options><version>1</version>`),
  ]);
  sameAsDecoded(tricks);
});

test('a body that is no good is none again', () => {
  const repeated = new RepeatedRequests();
  const bodies = [envelope('<version>1</version><version>1</version>'), Buffer.from('1</version>'), Buffer.from('')];
  for (const body of [...bodies, ...bodies])
    assert.throws(
      () => repeated.decode(body, ACTION),
      (error) => isFault(error, 'InvalidRequest'),
    );
});

test('what is asked for by one does not reach the next', () => {
  const repeated = new RepeatedRequests();
  repeated.decode(wait('1'), ACTION);
  const { args } = repeated.decode(wait('2'), ACTION);
  args['version'] = 'spoilt';
  assert.equal(repeated.decode(wait('3'), ACTION).args['version'], '3');
});

test('only so many are kept, and any number is read', () => {
  const repeated = new RepeatedRequests('vim25', undefined, 2);
  for (let index = 0; index < 10; index++) {
    const body = wait(String(index % 3), `<options><maxWaitSeconds>${index % 4}</maxWaitSeconds></options>`);
    assert.deepEqual(repeated.decode(body, ACTION), decodeSoapRequest(body, ACTION));
  }
});

test('recorded requests of clients are read the same', () => {
  sameAsDecoded(
    readdirSync(FIXTURES)
      .filter((file) => file.endsWith('.xml'))
      .map((file) => readFileSync(`${FIXTURES}/${file}`)),
  );
});
