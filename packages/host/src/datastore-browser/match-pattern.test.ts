import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { matchesPatterns } from './match-pattern.ts';

void test('patterns match whole names, and any of several is enough', () => {
  const table: readonly (readonly [string, readonly string[], boolean])[] = [
    ['a.vmx', [], true],
    ['a.vmx', ['*'], true],
    ['a.vmx', ['*.vmx'], true],
    ['a.vmx', ['*.vmdk', '*.vmx'], true],
    ['a.vmx~', ['*.vmx'], false],
    ['abc', ['a?c'], true],
    ['ac', ['a?c'], false],
    ['a[1].iso', ['a[1].iso'], true],
    ['a.b', ['a.b'], true],
    ['axb', ['a.b'], false],
    ['', [''], true],
    ['A.ISO', ['*.iso'], false],
    ['日本.iso', ['??.iso'], true],
  ];
  for (const [name, patterns, expected] of table)
    assert.equal(matchesPatterns(name, patterns, false), expected, `${name} ${patterns}`);
  assert.ok(matchesPatterns('A.ISO', ['*.iso'], true));
});

void test('a name is found by itself with any of its parts starred out', () => {
  fc.assert(
    fc.property(fc.string({ minLength: 1 }), fc.nat(), fc.nat(), (name, from, length) => {
      const characters = Array.from(name);
      fc.pre(!name.includes('*') && !name.includes('?'));
      characters.splice(from % characters.length, length % characters.length, '*');
      assert.ok(matchesPatterns(name, [characters.join('')], false));
    }),
  );
});

void test('a pattern of many stars is no burden', () => {
  assert.ok(!matchesPatterns('a'.repeat(250), [`${'*a'.repeat(200)}b`], false));
});
