/** The waits of a version that retires, as the record and `status` name them. */
export const waitNames = {
  drain: "minimum drain time",
  soak: "soak",
  deletion: "deletion window",
} as const;
