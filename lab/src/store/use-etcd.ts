// For scenarios: etcd when it is there; otherwise they are reported as not run.
import { etcdVersion } from './install-etcd.ts';

const version = await etcdVersion();

/** The option of `test`: skipped, with the reason, where there is no etcd. */
export const needsEtcd: { readonly skip: string | false } = {
  skip: version === undefined ? 'not run: etcd is not in the cache (the lab could not fetch it)' : false,
};
