import { describe, expect, test } from "vitest";
import { keyPolicyOf } from "../../lambda/record/canonical.ts";
import { copyOf, whyNotCopied } from "../../lambda/workflow/enrolment/policy-copy.ts";
import { aKey } from "../fixtures.ts";

const key = aKey();
const delegate = {
  Effect: "Allow",
  Principal: { AWS: "arn:aws:iam::000000000000:root" },
  Action: "kms:*",
  Resource: "*",
};
const use = { ...delegate, Action: "kms:Decrypt", Sid: "use" };

const documentOf = (...statements: object[]): string =>
  JSON.stringify({ Version: "2012-10-17", Statement: [delegate, ...statements] });
const why = (document: string): string | undefined => whyNotCopied(key, keyPolicyOf(document));

/** As GetKeyPolicy returns it. */
const wide = (document: string): string => JSON.stringify(JSON.parse(document), null, 2);

describe("the key policy of a new key", () => {
  test("is the same JSON without the white space that KMS added", () => {
    const document = documentOf({ ...use, Sid: 'a "quoted" \\ text,  with  spaces' });
    expect(copyOf(wide(document), undefined)).toBe(document);
  });

  test.each(["\u00e9\u00ff", "\u4e2d\u6587", "\u{1f511}", "\u0100\uffff", "a\tb"])(
    "has only characters that KMS accepts, and the same text: %j",
    (Sid) => {
      for (const aliases of [undefined, ["alias/orders"]]) {
        const copy = copyOf(documentOf({ ...use, Sid }), aliases);
        expect(copy).toMatch(/^[\t\n\r\u0020-\u00ff]+$/);
        const { Statement } = JSON.parse(copy) as { Statement: unknown[] };
        expect(Statement[1]).toEqual({ ...use, Sid });
      }
    },
  );
});

describe("keyturn copies a key policy", () => {
  test.each([
    ["in the layout of KMS", wide(documentOf(use))],
    ["with escapes", documentOf(use).replace("use", "\\u0075s\\u0065 \\/ \\ud83d\\udd11")],
    [
      "with plain numbers",
      documentOf({ ...use, Condition: { NumericLessThan: { "aws:MultiFactorAuthAge": 3600 } } }),
    ],
    ["with colons, commas and braces in a text", documentOf({ ...use, Sid: '{ "a" : [ 1.0 ] }' })],
  ])("%s", (_, document) => {
    expect(why(document)).toBeUndefined();
  });

  test.each([
    ["in a Sid", { ...use, Sid: "NotKeyturnAliasOnlyish" }],
    ["in a Sid in other letters", { ...use, Sid: "keyturnaliasonly" }],
    [
      "in a condition",
      { ...use, Condition: { StringLike: { "aws:PrincipalTag/x": "KeyturnAliasOnly" } } },
    ],
    [
      "in a principal",
      { ...use, Principal: { AWS: "arn:aws:iam::000000000000:role/KeyturnAliasOnly" } },
    ],
    [
      "as the name of a tag",
      { ...use, Condition: { Null: { "aws:RequestTag/KeyturnAliasOnly": "true" } } },
    ],
  ])("that contains the text KeyturnAliasOnly %s", (_, statement) => {
    expect(why(documentOf(statement))).toBeUndefined();
  });

  test("that contains the text as its Id, and with keyturn's own statement", () => {
    const document = documentOf().replace("{", '{"Id":"KeyturnAliasOnly",');
    expect(why(document)).toBeUndefined();
    expect(why(copyOf(document, ["alias/orders"]))).toBeUndefined();
  });
});

describe("keyturn does not copy a key policy", () => {
  test.each([
    ["another statement with the Sid KeyturnAliasOnly", { ...use, Sid: "KeyturnAliasOnly" }],
    [
      "that Sid in escapes",
      { ...use, Sid: "KeyturnAliasOnly" },
      (text: string) => text.replace("KeyturnA", "\\u004beyturn\\u0041"),
    ],
  ])("with %s", (_, statement, written = (text: string) => text) => {
    expect(why(written(documentOf(statement)))).toContain("Sid KeyturnAliasOnly");
  });

  test.each([
    ["resource", { ...use, Resource: key.arn }],
    ["condition", { ...use, Condition: { ArnLike: { "aws:SourceArn": `${key.arn}/*` } } }],
    [
      "condition key",
      { ...use, Condition: { Null: { [`kms:EncryptionContext:${key.keyId}`]: "true" } } },
    ],
    ["principal", { ...use, Principal: { AWS: `arn:aws:iam::000000000000:role/of-${key.keyId}` } }],
  ])("that has the key's own id in a %s, also in escapes", (_, statement) => {
    const document = documentOf(statement);
    const escaped = document.replaceAll(key.keyId, key.keyId.replaceAll("1", "\\u0031"));
    for (const one of [document, escaped]) expect(why(one)).toContain("the key's own id");
  });

  const condition = (text: string): string =>
    documentOf({ ...use, Condition: "?" }).replace('"?"', text);
  test.each([
    ["two conditions of one operator", condition('{"Bool":{"a":"b"},"Bool":{"c":"d"}}')],
    ["two elements of one name", documentOf(use).replace("{", '{"Statement":[],')],
    ["two equal members", condition('{"Bool":{"a":"b","a":"b"}}')],
    ["two members, one of them in escapes", condition('{"Bool":{"a":"b","\\u0061":"c"}}')],
    [
      "a number too large for JavaScript",
      condition('{"NumericEquals":{"a":12345678901234567890}}'),
    ],
    ["a number in another spelling", condition('{"StringEquals":{"a":[1.10,1e3]}}')],
  ])("that a copy would change: %s", (_, document) => {
    for (const one of [document, document.replaceAll(",", " ,\n  ")]) {
      expect(why(one)).toContain("a copy would change");
    }
  });
});
