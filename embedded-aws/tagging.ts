/** Resource Groups Tagging API: GetResources over the tags of the KMS twin's keys. */
import { AwsError } from "./http/aws-error.ts";
import { flag, integer, list, readInput, structure, text, type Read } from "./http/shape.ts";
import type { KmsTwin } from "./kms/twin.ts";
import type { KmsKey } from "./kms/types.ts";

const getResourcesShape = structure(
  {},
  {
    PaginationToken: text({ max: 2048 }),
    TagFilters: list(
      structure(
        { Key: text({ min: 1, max: 128 }) },
        { Values: list(text({ max: 256 }), { max: 20 }) },
      ),
      { max: 50 },
    ),
    ResourcesPerPage: integer(),
    TagsPerPage: integer(),
    ResourceTypeFilters: list(text({ max: 256 }), { max: 100 }),
    ResourceARNList: list(text({ min: 1, max: 1011 }), { min: 1, max: 100 }),
    IncludeComplianceDetails: flag(),
    ExcludeCompliantResources: flag(),
  },
);

type GetResources = Read<typeof getResourcesShape>;

export function callTagging(twin: KmsTwin, operation: string, input: unknown): unknown {
  if (operation !== "GetResources") throw new AwsError("UnknownOperationException", "");
  const request = readInput(getResourcesShape, input);
  checkRequest(request);
  const perPage = request.ResourcesPerPage ?? 100;
  const after = readToken(request.PaginationToken ?? "");
  const found = twin.taggedKeys().filter((key) => key.sequence > after && matches(key, request));
  const page = found.slice(0, perPage);
  const last = page.at(-1);
  return {
    PaginationToken: found.length > perPage && last !== undefined ? token(last.sequence) : "",
    ResourceTagMappingList: page.map((key) => ({
      ResourceARN: key.arn,
      Tags: [...key.tags].map(([Key, Value]) => ({ Key, Value })),
    })),
  };
}

function checkRequest(request: GetResources): void {
  const { ResourcesPerPage: perPage, ResourceARNList: arns } = request;
  if (perPage !== undefined && (perPage < 1 || perPage > 100)) {
    throw invalid("ResourcesPerPage must be between 1 and 100");
  }
  const filtered = request.TagFilters ?? request.ResourceTypeFilters ?? request.ResourcesPerPage;
  if (arns !== undefined && filtered !== undefined) {
    throw invalid("ResourceARNList cannot be used with filters or with ResourcesPerPage");
  }
}

/** Filters are joined by AND, the values of one by OR; a filter without values matches its key. */
function matches(key: KmsKey, request: GetResources): boolean {
  const { TagFilters: filters = [], ResourceTypeFilters: types, ResourceARNList: arns } = request;
  if (types !== undefined && !types.includes("kms") && !types.includes("kms:key")) return false;
  if (arns !== undefined && !arns.includes(key.arn)) return false;
  return filters.every(({ Key: name, Values: values }) => {
    const value = key.tags.get(name);
    if (value === undefined) return false;
    return values === undefined || values.length === 0 || values.includes(value);
  });
}

function token(sequence: number): string {
  return Buffer.from(`kms ${sequence}`).toString("base64");
}

function readToken(text: string): number {
  if (text === "") return -1;
  const sequence = /^kms (\d+)$/.exec(Buffer.from(text, "base64").toString("utf8"))?.[1];
  if (sequence === undefined) {
    throw new AwsError("PaginationTokenExpiredException", "The pagination token is not valid");
  }
  return Number(sequence);
}

function invalid(message: string): AwsError {
  return new AwsError("InvalidParameterException", message);
}
