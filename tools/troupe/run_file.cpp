#include "tools/troupe/run_file.h"

#include <algorithm>
#include <array>
#include <filesystem>
#include <optional>
#include <set>
#include <utility>

#include <yaml-cpp/yaml.h>

#include "runtime/base/suggest.h"

namespace troupe::tools {
namespace {

constexpr std::array<std::string_view, 3> kKubernetesKeys = {
    "containerImage", "containerImagePullPolicy", "createService"};

// Ends the reading; caught at its border.
struct Refused {
  Error error;
};

[[noreturn]] void refuse(const YAML::Mark& at, const std::string& message) {
  const std::string line = at.is_null() ? "" : "line " + std::to_string(at.line + 1) + ": ";
  throw Refused{{Code::kInvalid, line + message}};
}

// One part of the file: `common`, or an app.
struct Part {
  std::map<std::string, std::vector<std::string>, std::less<>> values = {};
  std::vector<std::pair<std::string, std::string>> environment = {};
  std::vector<std::string> command = {};
  std::string directory = {};
  std::string node_log = {};
  std::string app_log = {};
};

std::string scalar(const YAML::Node& node, const std::string& key) {
  if (!node.IsScalar()) refuse(node.Mark(), "'" + key + "' must be a single value");
  return node.Scalar();
}

std::vector<std::string> scalars(const YAML::Node& node, const std::string& key) {
  if (!node.IsSequence()) refuse(node.Mark(), "'" + key + "' must be a list");
  std::vector<std::string> values;
  for (const YAML::Node& each : node) values.push_back(scalar(each, key));
  return values;
}

// Each key of a map once, in the order of the file.
template <class Visit>
void for_each_key(const YAML::Node& map, const std::string& what, Visit visit) {
  if (!map.IsMap()) refuse(map.Mark(), what + " must have keys and values");
  std::set<std::string> seen;
  for (const auto& entry : map) {
    const std::string key = scalar(entry.first, "a key");
    if (!seen.insert(key).second) refuse(entry.first.Mark(), "'" + key + "' stands there twice");
    visit(key, entry.first.Mark(), entry.second);
  }
}

std::string absolute(const std::string& path, const std::string& base, const RunPlace& place) {
  if (path == "~" || path.starts_with("~/")) return place.home + path.substr(1);
  std::string whole = (std::filesystem::path(base) / path).lexically_normal().string();
  if (whole.size() > 1 && whole.ends_with('/')) whole.pop_back();
  return whole;
}

class Reader {
 public:
  explicit Reader(const RunPlace& place) : place_(place) {}

  RunFile read(const YAML::Node& root);

 private:
  Part read_common(const YAML::Node& node);
  AppRun read_app(const YAML::Node& node, const Part& common);
  void read_key(const std::string& key, const YAML::Mark& at, const YAML::Node& value, bool of_app,
                const std::string& base, Part& part);
  bool read_special(const std::string& key, const YAML::Node& value, bool of_app, Part& part);
  void read_value(const RunKey& known, const YAML::Node& value, const std::string& base,
                  Part& part) const;
  std::string path_of(const YAML::Node& node, const std::string& key,
                      const std::string& base) const;
  void add_usual_places(AppRun& app, const Part& own) const;

  const RunPlace& place_;
  RunFile file_;
};

RunFile Reader::read(const YAML::Node& root) {
  bool versioned = false;
  YAML::Node common;
  YAML::Node apps;
  for_each_key(root, "a run file",
               [&](const std::string& key, const YAML::Mark& at, const YAML::Node& value) {
                 if (key == "version") {
                   const Result<std::string> number =
                       parse_run_value(RunKind::kNumber, scalar(value, key));
                   if (!number || *number != "1") refuse(value.Mark(), "'version' must be 1");
                   versioned = true;
                 } else if (key == "name") {
                   file_.name = scalar(value, key);
                 } else if (key == "common") {
                   common.reset(value);
                 } else if (key == "apps") {
                   apps.reset(value);
                 } else {
                   refuse(at, "there is no '" + key + "' in a run file" +
                                  did_you_mean(key, {"version", "name", "common", "apps"}));
                 }
               });
  if (!versioned) refuse(root.Mark(), "'version: 1' is missing");
  if (!apps.IsSequence() || apps.size() == 0) {
    refuse(apps.IsDefined() ? apps.Mark() : root.Mark(), "'apps' must be a list of apps");
  }
  if (apps.size() > kAppsMax) {
    refuse(apps.Mark(), "more than " + std::to_string(kAppsMax) + " apps");
  }
  const Part shared = common.IsDefined() && !common.IsNull() ? read_common(common) : Part{};
  std::set<std::string> ids;
  for (const YAML::Node& each : apps) {
    file_.apps.push_back(read_app(each, shared));
    const std::string id = file_.apps.back().app_id();
    if (!ids.insert(id).second) refuse(each.Mark(), "there are two apps '" + id + "'");
  }
  return std::move(file_);
}

Part Reader::read_common(const YAML::Node& node) {
  Part part;
  for_each_key(node, "'common'",
               [&](const std::string& key, const YAML::Mark& at, const YAML::Node& value) {
                 read_key(key, at, value, false, place_.directory, part);
               });
  return part;
}

AppRun Reader::read_app(const YAML::Node& node, const Part& common) {
  Part own;
  if (!node.IsMap() || !node["appDirPath"]) refuse(node.Mark(), "the app has no 'appDirPath'");
  own.directory = path_of(node["appDirPath"], "appDirPath", place_.directory);
  for_each_key(node, "an app",
               [&](const std::string& key, const YAML::Mark& at, const YAML::Node& value) {
                 read_key(key, at, value, true, own.directory, own);
               });
  AppRun app{.values = common.values,
             .command = own.command,
             .directory = own.directory,
             .environment = common.environment};
  app.environment.insert(app.environment.end(), own.environment.begin(), own.environment.end());
  add_usual_places(app, own);
  for (auto& [flag, values] : own.values) app.values.insert_or_assign(flag, values);
  if (!app.has("app-id")) {
    app.values["app-id"] = {std::filesystem::path(own.directory).filename()};
  }
  const auto place = [&](const std::string& said, const std::string& shared, LogPlace usual) {
    const std::string& text = said.empty() ? shared : said;
    if (text.empty()) return usual;
    const Result<LogPlace> parsed = parse_log_place(text);
    if (!parsed) refuse(node.Mark(), parsed.error().message);
    return *parsed;
  };
  app.node_log = place(own.node_log, common.node_log, LogPlace::kFile);
  app.app_log = place(own.app_log, common.app_log, LogPlace::kBoth);
  const Result<void> sound = check_run(app);
  if (!sound) refuse(node.Mark(), sound.error().message);
  return app;
}

// What lies at Dapr's usual places in an app's folder is stronger than what is common to all.
void Reader::add_usual_places(AppRun& app, const Part& own) const {
  const std::string resources = own.directory + "/.dapr/resources";
  if (!own.values.contains("resources-path") && place_.exists(resources)) {
    app.values["resources-path"] = {resources};
  }
  const std::string config = own.directory + "/.dapr/config.yaml";
  if (!own.values.contains("config") && place_.exists(config)) app.values["config"] = {config};
}

void Reader::read_key(const std::string& key, const YAML::Mark& at, const YAML::Node& value,
                      bool of_app, const std::string& base, Part& part) {
  if (read_special(key, value, of_app, part)) return;
  std::vector<std::string> names = {"appDirPath", "command", "env", "daprdLogDestination",
                                    "appLogDestination"};
  for (const RunKey& known : run_keys()) {
    if (known.key.empty() || (!of_app && !known.shared)) continue;
    if (known.key == key || (known.key == "resourcesPaths" && key == "resourcesPath")) {
      return read_value(known, value, base, part);
    }
    names.emplace_back(known.key);
  }
  if (!of_app && std::ranges::any_of(run_keys(), [&](const auto& k) { return k.key == key; })) {
    refuse(at, "'" + key + "' belongs to an app, not into 'common'");
  }
  refuse(at, "there is no setting '" + key + "'" + did_you_mean(key, names));
}

// Those that are no flag.
bool Reader::read_special(const std::string& key, const YAML::Node& value, bool of_app,
                          Part& part) {
  if (key == "env") {
    for_each_key(value, "'env'",
                 [&](const std::string& name, const YAML::Mark&, const YAML::Node& each) {
                   part.environment.emplace_back(name, scalar(each, name));
                 });
  } else if (key == "daprdLogDestination") {
    part.node_log = scalar(value, key);
  } else if (key == "appLogDestination") {
    part.app_log = scalar(value, key);
  } else if (of_app && key == "command") {
    part.command = scalars(value, key);
  } else if (of_app && std::ranges::find(kKubernetesKeys, key) != kKubernetesKeys.end()) {
    file_.idle_keys.push_back(key);
  } else {
    return of_app && key == "appDirPath";
  }
  return true;
}

void Reader::read_value(const RunKey& known, const YAML::Node& value, const std::string& base,
                        Part& part) const {
  const std::string key(known.key);
  std::vector<std::string> values;
  switch (known.kind) {
    case RunKind::kPath:
      if (!scalar(value, key).empty()) values = {path_of(value, key, base)};
      break;
    case RunKind::kPaths:
      // The older key has one.
      if (value.IsScalar()) {
        values = {path_of(value, key, base)};
        break;
      }
      if (!value.IsSequence()) refuse(value.Mark(), "'" + key + "' must be a list");
      for (const YAML::Node& each : value) values.push_back(path_of(each, key, base));
      break;
    case RunKind::kTexts: {
      // Said to be empty is something else than not said.
      std::string list = value.IsNull() ? "" : scalar(value, key);
      for (std::size_t comma = list.find(','); comma != std::string::npos; comma = list.find(',')) {
        values.push_back(list.substr(0, comma));
        list.erase(0, comma + 1);
      }
      values.push_back(list);
      break;
    }
    default: {
      const Result<std::string> parsed = parse_run_value(known.kind, scalar(value, key));
      if (!parsed) refuse(value.Mark(), "'" + key + "': " + parsed.error().message);
      if (!parsed->empty() && (*parsed != "0" || known.kind == RunKind::kText)) values = {*parsed};
    }
  }
  if (!values.empty()) part.values.insert_or_assign(std::string(known.flag), std::move(values));
}

std::string Reader::path_of(const YAML::Node& node, const std::string& key,
                            const std::string& base) const {
  const std::string path = absolute(scalar(node, key), base, place_);
  if (!place_.exists(path)) refuse(node.Mark(), "'" + key + "': there is no " + path);
  return path;
}

}  // namespace

Result<RunFile> parse_run_file(std::string_view text, const RunPlace& place) {
  if (text.size() > kRunFileBytesMax) return fail(Code::kInvalid, "it is larger than 1 MiB");
  try {
    return Reader(place).read(YAML::Load(std::string(text)));
  } catch (const Refused& refused) {
    return fail(refused.error);
  } catch (const YAML::Exception& error) {
    const std::string line =
        error.mark.is_null() ? "" : "line " + std::to_string(error.mark.line + 1) + ": ";
    return fail(Code::kInvalid, line + error.msg);
  }
}

}  // namespace troupe::tools
