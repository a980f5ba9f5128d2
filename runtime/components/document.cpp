#include "runtime/components/document.h"

#include <algorithm>
#include <exception>

#include <yaml-cpp/yaml.h>

#include <troupe/json.h>

namespace troupe::components {
namespace {

// Gives up by an exception of the library's own kind, so that there is one way out.
class Reading {
 public:
  explicit Reading(std::size_t first_line) : first_line_(first_line) {}

  Value read(const YAML::Node& node) {
    if (++count_ > kDocumentValuesMax) {
      throw YAML::ParserException(node.Mark(), "more than " + std::to_string(kDocumentValuesMax) +
                                                   " values in one document");
    }
    Value value;
    value.line = line(node.Mark());
    switch (node.Type()) {
      case YAML::NodeType::Scalar:
        value.kind = ValueKind::kText;
        value.text = node.Scalar();
        value.quoted = node.Tag() == "!";
        if (!value.quoted && (value.text == "null" || value.text == "~" || value.text.empty())) {
          value.kind = ValueKind::kNull;
        }
        break;
      case YAML::NodeType::Sequence:
        value.kind = ValueKind::kList;
        for (const YAML::Node& each : node) value.items.push_back(read(each));
        break;
      case YAML::NodeType::Map:
        value.kind = ValueKind::kMap;
        for (const auto& each : node) read_member(value, each.first, each.second);
        break;
      default:
        break;
    }
    return value;
  }

  std::size_t line(const YAML::Mark& mark) const {
    return first_line_ + static_cast<std::size_t>(std::max(mark.line, 0));
  }

 private:
  void read_member(Value& map, const YAML::Node& name, const YAML::Node& member) {
    if (!name.IsScalar()) throw YAML::ParserException(name.Mark(), "a name must be a text");
    Value value = read(member);
    // Of an empty value there is no place.
    if (member.IsNull()) value.line = line(name.Mark());
    for (auto& [known, before] : map.members) {
      if (known == name.Scalar()) {
        before = std::move(value);  // the last counts, as with Dapr
        return;
      }
    }
    map.members.emplace_back(name.Scalar(), std::move(value));
  }

  std::size_t first_line_;
  std::size_t count_ = 0;
};

void write(JsonWriter& out, const Value& value) {
  switch (value.kind) {
    case ValueKind::kNull:
      return out.null();
    case ValueKind::kText:
      if (!value.quoted) {
        const Result<Json> json = Json::parse(value.text);
        if (json && !value.text.starts_with('"')) return out.raw(json->text());
      }
      return out.string(value.text);
    case ValueKind::kList:
      out.begin_array();
      for (const Value& each : value.items) write(out, each);
      return out.end_array();
    case ValueKind::kMap:
      out.begin_object();
      for (const auto& [name, member] : value.members) {
        out.key(name);
        write(out, member);
      }
      return out.end_object();
  }
}

}  // namespace

std::string_view name_of(ValueKind kind) {
  switch (kind) {
    case ValueKind::kNull:
      return "nothing";
    case ValueKind::kText:
      return "a text";
    case ValueKind::kList:
      return "a list";
    case ValueKind::kMap:
      return "a map";
  }
  return "nothing";
}

const Value* Value::find(std::string_view name) const {
  for (const auto& [known, member] : members) {
    if (known == name) return member.kind == ValueKind::kNull ? nullptr : &member;
  }
  return nullptr;
}

std::string to_json(const Value& value) {
  JsonWriter out;
  write(out, value);
  Result<std::string> json = out.finish();
  return json ? *std::move(json) : std::string();
}

std::vector<DocumentText> split_documents(std::string_view file) {
  std::vector<DocumentText> documents;
  std::size_t begin = 0;
  std::size_t first_line = 1;
  std::size_t line = 1;
  std::size_t at = 0;
  const auto take = [&](std::size_t end) {
    if (file.substr(begin, end - begin).find_first_not_of(" \t\r\n") != std::string_view::npos) {
      documents.push_back({.text = file.substr(begin, end - begin), .line = first_line});
    }
  };
  while (at < file.size()) {
    const std::size_t end = std::min(file.find('\n', at), file.size());
    if (file.substr(at).starts_with("---")) {
      take(at);
      begin = std::min(end + 1, file.size());
      first_line = line + 1;
    }
    at = end + 1;
    ++line;
  }
  take(file.size());
  return documents;
}

Result<Value> parse_document(const DocumentText& document) {
  if (document.text.size() > kDocumentSizeMax) {
    return fail(Code::kInvalid, "line " + std::to_string(document.line) +
                                    ", column 1: a document of more than 64 KiB");
  }
  Reading reading(document.line);
  try {
    return reading.read(YAML::Load(std::string(document.text)));
  } catch (const YAML::Exception& error) {
    return fail(Code::kInvalid, "line " + std::to_string(reading.line(error.mark)) + ", column " +
                                    std::to_string(std::max(error.mark.column, 0) + 1) + ": " +
                                    error.msg);
  } catch (const std::exception& error) {  // the library throws a few of others
    return fail(Code::kInvalid,
                "line " + std::to_string(document.line) + ", column 1: " + error.what());
  }
}

}  // namespace troupe::components
