/** What a log line may carry beside its text. */

/**
 * The fields that Powertools writes itself. It drops the first five from what it gets and overwrites
 * its own text, time or Lambda context with the others; a line without them would mislead.
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

/** Of no reserved name: the compiler refuses a field that would not be printed as it is given. */
export type LogFields = Record<string, unknown> & { [name in ReservedField]?: never };

/** The part of Powertools' Logger that telemetry uses. */
export type LineLogger = {
  info(text: string, fields: LogFields): void;
  warn(text: string, fields: LogFields): void;
  error(text: string, fields: LogFields): void;
};
