// The library for certificates, with what it wants to be there before it. For certificate tools and tests alone: it is big.
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto as typeof globalThis.crypto);

export { x509 };
