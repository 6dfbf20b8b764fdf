// What tests say of faults.
import assert from 'node:assert/strict';
import { isFault } from '@vivarium/vim';

/** For assert.rejects and assert.throws: the fault has this type and these properties. */
export function fault(type: string, properties: object = {}): (error: unknown) => true {
  return (error) => {
    assert.ok(isFault(error, 'MethodFault'), error instanceof Error ? error.stack : String(error));
    const data = error.fault as unknown as Record<string, unknown>;
    const expected = { _typeName: type, ...properties };
    const actual = Object.fromEntries(Object.keys(expected).map((name) => [name, data[name]]));
    assert.deepEqual(actual, expected, error.message);
    return true;
  };
}
