// Our signatures read by ssh-keygen, and its signatures read by us.
import assert from "node:assert/strict";
import { execFileSync, spawnSync } from "node:child_process";
import crypto from "node:crypto";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import { after, before, test } from "node:test";

import { CodeSyncError } from "../dist/esm/index.js";
import { append, header, publicKeyOf, sign, signed, split, verify } from "../dist/esm/node.js";

const KEYGEN = process.env.SSH_KEYGEN ?? "ssh-keygen";
const archive = crypto.randomBytes(100_000);
let folder;

before(() => (folder = fs.mkdtempSync(path.join(os.tmpdir(), "sdk-signing-"))));
after(() => fs.rmSync(folder, { recursive: true, force: true }));

function keyPair(kind, ...more) {
  const file = path.join(folder, `${kind}-${crypto.randomUUID()}`);
  execFileSync(KEYGEN, ["-q", "-t", kind, ...more, "-N", "", "-C", "", "-f", file]);
  return { file, key: fs.readFileSync(file, "utf8"), line: fs.readFileSync(`${file}.pub`, "utf8").trim() };
}

function keygenVerifies(signature, line, bytes, namespace = "codesync") {
  const [signers, file] = [path.join(folder, "signers"), path.join(folder, "it.sig")];
  fs.writeFileSync(signers, `dana ${line}\n`);
  fs.writeFileSync(file, signature);
  const command = ["-Y", "verify", "-f", signers, "-I", "dana", "-n", namespace, "-s", file];
  return spawnSync(KEYGEN, command, { input: bytes }).status === 0;
}

const keygenSigns = (file, namespace = "codesync", ...more) =>
  execFileSync(KEYGEN, ["-q", "-Y", "sign", "-n", namespace, ...more, "-f", file], { input: archive, stdio: "pipe" }).toString();

test("ssh-keygen accepts what we sign, byte for byte what it would have made", async () => {
  const pair = keyPair("ed25519");
  for (const hash of ["sha512", "sha256"]) {
    const made = await sign(archive, pair.key, { hash });
    assert.ok(keygenVerifies(made, pair.line, archive));
    assert.ok(!keygenVerifies(made, pair.line, Buffer.concat([archive, Buffer.from("x")])));
    assert.equal(made, keygenSigns(pair.file, "codesync", "-O", `hashalg=${hash}`));
  }
  assert.equal(publicKeyOf(pair.key), pair.line);
  assert.ok(keygenVerifies(await sign(archive, pair.key, { namespace: "git" }), pair.line, archive, "git"));
});

test("a PEM key signs too, with a passphrase or without; so do the chunks of a file", async () => {
  const { privateKey } = crypto.generateKeyPairSync("ed25519");
  const plain = privateKey.export({ type: "pkcs8", format: "pem" });
  const locked = privateKey.export({ type: "pkcs8", format: "pem", cipher: "aes-256-cbc", passphrase: "p" });
  const file = path.join(folder, "archive.tgz");
  fs.writeFileSync(file, archive);
  const made = await sign(fs.createReadStream(file), plain);
  assert.equal(made, await sign(archive, locked, { passphrase: "p" }));
  assert.ok(keygenVerifies(made, publicKeyOf(plain), archive));
  const found = await verify(fs.createReadStream(file), made, { trusted: [publicKeyOf(plain)] });
  assert.equal(found.algorithm, "ssh-ed25519");
  await assert.rejects(sign(archive, locked, { passphrase: "wrong" }), CodeSyncError);
});

test("we accept what ssh-keygen signs, with every kind of key that the portal takes", async () => {
  const kinds = [["ed25519"], ["ecdsa", "-b", "256"], ["ecdsa", "-b", "384"], ["ecdsa", "-b", "521"], ["rsa", "-b", "3072"]];
  for (const kind of kinds) {
    const pair = keyPair(...kind);
    const signature = keygenSigns(pair.file);
    const shown = execFileSync(KEYGEN, ["-lf", `${pair.file}.pub`]).toString().split(" ")[1];
    const found = await verify(archive, signature, { trusted: [`${pair.line} a comment`] });
    assert.deepEqual([found.fingerprint, found.namespace, found.hash], [shown, "codesync", "sha512"]);
    await verify(archive, signature, { trusted: [shown] });
    await assert.rejects(verify(archive.subarray(1), signature, { trusted: [pair.line] }), { error: /does not fit/ });
  }
});

test("a hardware key's signature holds where it was touched", async () => {
  const { privateKey, publicKey } = crypto.generateKeyPairSync("ed25519");
  const field = (value) => Buffer.concat([Buffer.from(Uint32Array.of(value.length).buffer).reverse(), Buffer.from(value)]);
  const hash = (name, bytes) => crypto.createHash(name).update(bytes).digest();
  const kind = "sk-ssh-ed25519@openssh.com";
  const blob = Buffer.concat([kind, publicKey.export({ format: "der", type: "spki" }).subarray(12), "ssh:"].map(field));
  const inner = Buffer.concat([Buffer.from("SSHSIG"), ...["codesync", "", "sha512", hash("sha512", archive)].map(field)]);
  const armored = (flags) => {
    const tail = Buffer.from([flags, 0, 0, 0, 7]);
    const value = crypto.sign(null, Buffer.concat([hash("sha256", "ssh:"), tail, hash("sha256", inner)]), privateKey);
    const last = Buffer.concat([field(kind), field(value), tail]);
    const whole = Buffer.concat([Buffer.from("SSHSIG\0\0\0\x01"), ...[blob, "codesync", "", "sha512", last].map(field)]);
    const lines = whole.toString("base64").match(/.{1,70}/g).join("\n");
    return `-----BEGIN SSH SIGNATURE-----\n${lines}\n-----END SSH SIGNATURE-----\n`;
  };
  const line = `${kind} ${blob.toString("base64")}`;
  assert.ok(keygenVerifies(armored(1), line, archive));
  assert.equal((await verify(archive, armored(1), { trusted: [line] })).algorithm, kind);
  await assert.rejects(verify(archive, armored(0), { trusted: [line] }), { error: /touched/ });
});

test("only whom one trusts, only for the namespace, only what is whole", async () => {
  const [pair, other] = [keyPair("ed25519"), keyPair("ed25519")];
  const signature = keygenSigns(pair.file);
  await assert.rejects(verify(archive, signature, { trusted: [other.line] }), { error: /nobody trusted/ });
  await assert.rejects(verify(archive, signature, { trusted: [] }), { error: /nobody trusted/ });
  await assert.rejects(verify(archive, keygenSigns(pair.file, "git"), { trusted: [pair.line] }), { error: /for “git”/ });
  const lines = signature.split("\n");
  const broken = ["", "nothing", lines.toSpliced?.(1, 1).join("\n") ?? "", signature.replace("U1NIU0lH", "U1NIU0lI")];
  for (const one of broken) await assert.rejects(verify(archive, one, { trusted: [pair.line] }), CodeSyncError);
});

test("a signature goes behind the archive and comes off again", async () => {
  const pair = keyPair("ed25519");
  const both = await signed(archive, pair.key);
  const { archive: first, signature } = split(both);
  assert.ok(Buffer.from(first).equals(archive));
  assert.equal(signature, await sign(archive, pair.key));
  assert.deepEqual(split(archive), { archive, signature: undefined });
  assert.deepEqual(append(archive, signature), both);
  assert.equal(Buffer.from(header(signature), "base64").toString(), signature);
});

test("keys that cannot sign here say what to do", async () => {
  const locked = keyPair("ed25519");
  execFileSync(KEYGEN, ["-q", "-p", "-P", "", "-N", "secret", "-f", locked.file], { stdio: "pipe" });
  await assert.rejects(sign(archive, fs.readFileSync(locked.file, "utf8")), { error: /has a passphrase.*ssh-keygen/ });
  await assert.rejects(sign(archive, keyPair("ecdsa").key), { error: /Only Ed25519/ });
  await assert.rejects(sign(archive, "no key"), { error: /no private key/ });
});
