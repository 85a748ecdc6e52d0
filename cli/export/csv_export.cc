#include "cli/export/csv_export.h"

#include <fstream>

#include "cli/export/data_dictionary.h"
#include "cli/export/folder_writer.h"
#include "common/results/table_formats.h"

namespace gridsweep {
namespace {

// What becomes of a view.
struct Source {
  const char* file;
  const char* view;
  const char* order;
  const char* about;
  int64_t (*rows_of)(const ExportedJob&);
};

// Rows of a job as they usually are: of a hundred classes a confusion matrix has a few hundred entries that are not zero, a sample
// of predictions has a few dozen. A part that turns out too large is read as two.
constexpr Source kSources[] = {
    {"jobs.csv", "v_jobs", "job", "One row a job: a cell trained with one seed.",
     [](const ExportedJob&) -> int64_t { return 4; }},
    {"epochs.csv", "v_epochs", "job, epoch",
     "One row an epoch of each job's accepted attempt, or of the one that is running.",
     [](const ExportedJob& job) { return std::max<int64_t>(job.epochs, 1); }},
    {"confusions.csv", "v_confusion", "job, actual, predicted",
     "One row an entry of a confusion matrix on the test set that is not zero.",
     [](const ExportedJob&) -> int64_t { return 400; }},
    {"predictions.csv", "v_predictions", "job, image",
     "One row an image of the sample of test images and a job.",
     [](const ExportedJob&) -> int64_t { return 128; }},
};

// As CsvField writes it, without the detour over JSON: there are millions of them.
void AppendValue(const v1::Value& value, std::string& line) {
  switch (value.value_case()) {
    case v1::Value::kInteger:
      fmt::format_to(std::back_inserter(line), "{}", value.integer());
      return;
    case v1::Value::kReal:
      fmt::format_to(std::back_inserter(line), "{:.17g}", value.real());
      return;
    case v1::Value::kText:
      if (value.text().find_first_of(",\"\r\n") == std::string::npos) {
        line += value.text();
      } else {
        line += CsvField(value.text());
      }
      return;
    case v1::Value::kBlob:
    case v1::Value::VALUE_NOT_SET:
      return;
  }
}

class CsvFile {
 public:
  explicit CsvFile(std::string path) : path_(std::move(path)), file_(path_, std::ios::binary) {}

  absl::Status Write(std::string_view text) {
    file_.write(text.data(), static_cast<std::streamsize>(text.size()));
    return Check();
  }
  absl::Status Close() {
    file_.close();
    return Check();
  }

 private:
  absl::Status Check() const {
    if (file_) return absl::OkStatus();
    return FailedPrecondition("cannot write '{}': is the disk full?", path_);
  }

  std::string path_;
  std::ofstream file_;
};

std::string HeaderLine(const std::vector<std::string>& columns) {
  std::string line;
  for (const std::string& column : columns) line += (line.empty() ? "" : ",") + CsvField(Json(column));
  return line + "\r\n";
}

void AppendRow(const v1::Row& row, std::string& line) {
  for (int i = 0; i < row.values_size(); ++i) {
    if (i > 0) line += ',';
    AppendValue(row.values(i), line);
  }
  line += "\r\n";
}

std::vector<ColumnMeaning> Describe(const std::string& view, const std::vector<std::string>& columns) {
  const std::vector<ColumnMeaning> documented = DocumentedColumns(view);
  std::vector<ColumnMeaning> described;
  for (const std::string& column : columns) {
    ColumnMeaning meaning{.name = column, .type = "TEXT", .meaning = ""};
    for (const ColumnMeaning& known : documented) {
      if (known.name == column) meaning = known;
    }
    described.push_back(std::move(meaning));
  }
  return described;
}

absl::StatusOr<ExportedTable> ExportView(Client& client, int64_t sweep, const std::vector<ExportedJob>& jobs,
                                         const Source& source, const std::string& folder, Context& context) {
  GS_ASSIGN_OR_RETURN(const std::vector<std::string> columns, ViewColumns(client, source.view));
  ExportedTable table{
      .file = source.file, .about = source.about, .columns = Describe(source.view, columns), .rows = 0};
  CsvFile file(folder + "/" + source.file);
  GS_RETURN_IF_ERROR(file.Write(HeaderLine(columns)));
  const ViewPart part{.view = source.view, .order = source.order, .rows_of = source.rows_of};
  std::string line;
  GS_RETURN_IF_ERROR(ReadView(client, sweep, jobs, part, [&](const v1::Row& row) -> absl::Status {
    line.clear();
    AppendRow(row, line);
    ++table.rows;
    if (table.rows % 1024 == 0 && context.interruptions() > 0) return absl::CancelledError("interrupted");
    return file.Write(line);
  }));
  GS_RETURN_IF_ERROR(file.Close());
  return table;
}

absl::StatusOr<ExportedTable> ExportRanking(Client& client, int64_t sweep, const std::string& folder) {
  GS_ASSIGN_OR_RETURN(const std::vector<std::string> columns, ViewColumns(client, "v_ranking"));
  ExportedTable table{.file = "ranking.csv",
                      .about = "One row a cell, best first.",
                      .columns = Describe("v_ranking", columns),
                      .rows = 0};
  CsvFile file(folder + "/" + table.file);
  GS_RETURN_IF_ERROR(file.Write(HeaderLine(columns)));
  std::string line;
  GS_RETURN_IF_ERROR(ReadRanking(client, sweep, [&](const v1::Row& row) {
    line.clear();
    AppendRow(row, line);
    ++table.rows;
    return file.Write(line);
  }));
  GS_RETURN_IF_ERROR(file.Close());
  return table;
}

}  // namespace

absl::Status ExportCsv(Client& client, const v1::SweepSummary& sweep, const std::vector<ExportedJob>& jobs,
                       const std::string& folder, Context& context) {
  GS_ASSIGN_OR_RETURN(FolderWriter writer, FolderWriter::Create(folder));
  std::vector<ExportedTable> tables;
  GS_ASSIGN_OR_RETURN(tables.emplace_back(), ExportRanking(client, sweep.id(), writer.temporary()));
  for (const Source& source : kSources) {
    GS_ASSIGN_OR_RETURN(tables.emplace_back(),
                        ExportView(client, sweep.id(), jobs, source, writer.temporary(), context));
  }
  const std::string title = fmt::format("Results of the sweep '{}' (sweep {})", sweep.name(), sweep.id());
  CsvFile package(writer.temporary() + "/datapackage.json");
  GS_RETURN_IF_ERROR(package.Write(DataPackage("sweep-" + std::to_string(sweep.id()), title, tables)
                                       .dump(2, ' ', false, Json::error_handler_t::replace) +
                                   "\n"));
  GS_RETURN_IF_ERROR(package.Close());
  CsvFile dictionary(writer.temporary() + "/README.md");
  GS_RETURN_IF_ERROR(dictionary.Write(DataDictionaryMarkdown(title, tables)));
  GS_RETURN_IF_ERROR(dictionary.Close());
  return writer.Finish();
}

}  // namespace gridsweep
