# Runs the R script of an exported table by hand and keeps what it recomputes.
# 1. .venv/bin/python tests/reference/test_exported_tables_reference.py /tmp/exported
# 2. Rscript tests/reference/scripts/exported_tables.R /tmp/exported > tests/reference/outputs/exported_tables.json
folder <- commandArgs(trailingOnly = TRUE)[1]
tables <- list()
for (name in c("cells", "patients")) {
  within <- new.env()
  assign("commandArgs", function(trailingOnly = TRUE) file.path(folder, name), envir = within)
  printed <- capture.output(sys.source(file.path(folder, name, paste0("read_", name, ".R")), envir = within))
  stopifnot(tail(printed, 1) == "equal to headline.csv")
  tables[[name]] <- within$found
}
cat(jsonlite::toJSON(tables, digits = NA, dataframe = "rows", auto_unbox = TRUE, pretty = TRUE), "\n")
