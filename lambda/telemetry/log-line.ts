/** The fields of a log line beside its text. */

/**
 * The fields that Powertools writes itself. It drops the first five of them from its input, and the
 * others would overwrite its own text, time or Lambda context.
 */
type ReservedField =
  | "level"
  | "message"
  | "sampling_rate"
  | "service"
  | "timestamp"
  | "cold_start"
  | "function_arn"
  | "function_memory_size"
  | "function_name"
  | "function_request_id"
  | "tenant_id"
  | "xray_trace_id"
  | "error"
  | "extra";

/** No reserved names: the compiler rejects a field that Powertools would not print as given. */
export type LogFields = Record<string, unknown> & { [name in ReservedField]?: never };

/** The part of Powertools' Logger that telemetry uses. */
export type LineLogger = {
  info(text: string, fields: LogFields): void;
  warn(text: string, fields: LogFields): void;
  error(text: string, fields: LogFields): void;
};
