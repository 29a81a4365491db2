#include "kql/token.h"

#include <algorithm>
#include <array>
#include <cstddef>

namespace micius::kql {
namespace {

struct Row {
  std::string_view name, text;
  NameUse use = NameUse::kNoName;
};

constexpr NameUse kName = NameUse::kName;
constexpr NameUse kExtendedName = NameUse::kExtendedName;
constexpr NameUse kPathName = NameUse::kPathName;

// In the order of Tok.
// clang-format off
constexpr Row kRows[] = {
    {"EndOfTextToken", ""},
    {"BooleanLiteralToken", ""},
    {"IntLiteralToken", ""},
    {"LongLiteralToken", ""},
    {"RealLiteralToken", ""},
    {"DecimalLiteralToken", ""},
    {"DateTimeLiteralToken", ""},
    {"TimespanLiteralToken", ""},
    {"GuidLiteralToken", ""},
    {"RawGuidLiteralToken", ""},
    {"StringLiteralToken", ""},
    {"IdentifierToken", ""},
    {"DirectiveToken", ""},
    {"BadToken", ""},
    {"OpenParenToken", "("},
    {"CloseParenToken", ")"},
    {"OpenBracketToken", "["},
    {"CloseBracketToken", "]"},
    {"OpenBraceToken", "{"},
    {"CloseBraceToken", "}"},
    {"BarToken", "|"},
    {"LessThanBarToken", "<|"},
    {"PlusToken", "+"},
    {"MinusToken", "-"},
    {"AsteriskToken", "*"},
    {"SlashToken", "/"},
    {"PercentToken", "%"},
    {"DotToken", "."},
    {"DotDotToken", ".."},
    {"BangToken", "!"},
    {"LessThanToken", "<"},
    {"LessThanOrEqualToken", "<="},
    {"GreaterThanToken", ">"},
    {"GreaterThanOrEqualToken", ">="},
    {"EqualToken", "="},
    {"EqualEqualToken", "=="},
    {"BangEqualToken", "!="},
    {"LessThanGreaterThanToken", "<>"},
    {"ColonToken", ":"},
    {"SemicolonToken", ";"},
    {"CommaToken", ","},
    {"EqualTildeToken", "=~"},
    {"BangTildeToken", "!~"},
    {"AtToken", "@"},
    {"QuestionToken", "?"},
    {"FatArrowToken", "=>"},
    {"__CrossClusterKeyword", "__crossCluster"},
    {"__CrossDBKeyword", "__crossDB"},
    {"__IdKeyword", "__id"},
    {"__IsFuzzyKeyword", "__isFuzzy"},
    {"__NoWithSourceKeyword", "__noWithSource"},
    {"__PackedColumnKeyword", "__packedColumn"},
    {"__SourceColumnIndexKeyword", "__sourceColumnIndex"},
    {"_3DChartKeyword", "3Dchart"},
    {"AccessKeyword", "access", kName},
    {"AccumulateKeyword", "accumulate", kExtendedName},
    {"AliasKeyword", "alias", kName},
    {"AndKeyword", "and"},
    {"AnomalyChartKeyword", "anomalychart"},
    {"AreaChartKeyword", "areachart"},
    {"AsKeyword", "as", kExtendedName},
    {"AscKeyword", "asc"},
    {"AssertSchemaKeyword", "assert-schema"},
    {"BagExpansionKeyword", "bagexpansion"},
    {"BarChartKeyword", "barchart"},
    {"BetweenKeyword", "between"},
    {"BinKeyword", "bin", kName},
    {"BinLegacy", "bin_legacy"},
    {"ByKeyword", "by", kExtendedName},
    {"CachingPolicyKeyword", "cachingpolicy"},
    {"CalloutKeyword", "callout"},
    {"CancelKeyword", "cancel"},
    {"CardKeyword", "card"},
    {"ColumnChartKeyword", "columnchart"},
    {"CommandsAndQueriesKeyword", "commands-and-queries"},
    {"ConsumeKeyword", "consume", kName},
    {"ContainsKeyword", "contains", kExtendedName},
    {"ContainsCsKeyword", "containscs"},
    {"Contains_CsKeyword", "contains_cs"},
    {"ContextualDataTableKeyword", "__contextual_datatable"},
    {"CountKeyword", "count", kName},
    {"CyclesKeyword", "cycles"},
    {"DatabaseKeyword", "database", kName},
    {"DataExportKeyword", "dataexport"},
    {"DataScopeKeyword", "datascope"},
    {"DataTableKeyword", "datatable", kExtendedName},
    {"DeclareKeyword", "declare", kName},
    {"DecodeBlocksKeyword", "decodeblocks"},
    {"DefaultKeyword", "default", kName},
    {"DescKeyword", "desc"},
    {"DistinctKeyword", "distinct", kName},
    {"EarliestKeyword", "earliest", kExtendedName},
    {"EncodingPolicyKeyword", "encodingpolicy"},
    {"EndsWithKeyword", "endswith"},
    {"EndsWithCsKeyword", "endswith_cs"},
    {"EntityGroupKeyword", "entity_group", kName},
    {"EvaluateKeyword", "evaluate", kName},
    {"ExecuteAndCacheKeyword", "__executeAndCache"},
    {"ExpandOutputKeyword", "expandoutput"},
    {"ExtendKeyword", "extend", kName},
    {"ExtentTagsRetentionKeyword", "extent_tags_retention"},
    {"ExternalDataKeyword", "externaldata", kExtendedName},
    {"External_DataKeyword", "external_data"},
    {"DataFormatKeyword", "dataformat", kName},
    {"InlineExternalTableKeyword", "inline_external_table", kName},
    {"DateTimePatternKeyword", "datetime_pattern", kName},
    {"FacetKeyword", "facet", kName},
    {"FilterKeyword", "filter", kName},
    {"FindKeyword", "find", kExtendedName},
    {"FirstKeyword", "first"},
    {"FlagsKeyword", "flags"},
    {"ForkKeyword", "fork", kName},
    {"FromKeyword", "from", kName},
    {"GetSchemaKeyword", "getschema", kName},
    {"GrannyAscKeyword", "granny-asc"},
    {"GrannyDescKeyword", "granny-desc"},
    {"GraphMatchKeyword", "graph-match"},
    {"GraphShortestPathsKeyword", "graph-shortest-paths"},
    {"GraphToTableKeyword", "graph-to-table"},
    {"GraphEdgesKeyword", "edges", kName},
    {"HardDeleteKeyword", "harddelete"},
    {"HardRetentionKeyword", "hardretention"},
    {"HasKeyword", "has", kExtendedName},
    {"HasAnyKeyword", "has_any"},
    {"HasAllKeyword", "has_all"},
    {"HasCsKeyword", "has_cs"},
    {"HasPrefixKeyword", "hasprefix"},
    {"HasPrefixCsKeyword", "hasprefix_cs"},
    {"HasSuffixKeyword", "hassuffix"},
    {"HasSuffixCsKeyword", "hassuffix_cs"},
    {"HintDotConcurrencyKeyword", "hint.concurrency"},
    {"HintDotDistributionKeyword", "hint.distribution"},
    {"HintDotMaterializedKeyword", "hint.materialized"},
    {"HintDotNumPartitions", "hint.num_partitions"},
    {"HintDotShuffleKeyKeyword", "hint.shufflekey"},
    {"HintDotSpreadKeyword", "hint.spread"},
    {"HintDotRemoteKeyword", "hint.remote"},
    {"HintDotStrategyKeyword", "hint.strategy"},
    {"HintDotProgressiveTopKeyword", "hint.progressive_top"},
    {"HotCacheKeyword", "hotcache"},
    {"IdKeyword", "id", kName},
    {"InKeyword", "in", kExtendedName},
    {"InCsKeyword", "in~"},
    {"InvokeKeyword", "invoke", kExtendedName},
    {"IsFuzzyKeyword", "isfuzzy"},
    {"BestEffortKeyword", "best_effort", kName},
    {"ForceRemoteKeyword", "force_remote"},
    {"JoinKeyword", "join", kName},
    {"JournalKeyword", "journal"},
    {"KindKeyword", "kind", kPathName},
    {"LadderChartKeyword", "ladderchart"},
    {"LastKeyword", "last"},
    {"LatestKeyword", "latest", kExtendedName},
    {"LetKeyword", "let", kName},
    {"LikeKeyword", "like"},
    {"LikeCsKeyword", "likecs"},
    {"LimitKeyword", "limit", kName},
    {"LineChartKeyword", "linechart"},
    {"LookupKeyword", "lookup", kName},
    {"MacroExpandKeyword", "macro-expand"},
    {"MakeGraphKeyword", "make-graph"},
    {"GraphMarkComponentsKeyword", "graph-mark-components"},
    {"GraphWhereNodesKeyword", "graph-where-nodes"},
    {"GraphWhereEdgesKeyword", "graph-where-edges"},
    {"MakeSeriesKeyword", "make-series"},
    {"MatchesRegexKeyword", "matches regex"},
    {"MaterializeKeyword", "materialize", kExtendedName},
    {"MaterializedViewCombineKeyword", "materialized-view-combine"},
    {"MaterializedViewsKeyword", "materialized-views"},
    {"MdmKeyword", "mdm", kExtendedName},
    {"MissingKeyword", "missing"},
    {"MvApplyKeyword", "mvapply", kName},
    {"MvDashApplyKeyword", "mv-apply"},
    {"MvDashExpandKeyword", "mv-expand"},
    {"MvExpandKeyword", "mvexpand", kName},
    {"NodesKeyword", "nodes", kName},
    {"NoOptimizationKeyword", "nooptimization"},
    {"NotBetweenKeyword", "!between"},
    {"NotContainsKeyword", "notcontains"},
    {"NotContainsCsKeyword", "notcontainscs"},
    {"NotBangContainsKeyword", "!contains"},
    {"NotBangContainsCsKeyword", "!contains_cs"},
    {"NotEndsWithKeyword", "!endswith"},
    {"NotEndsWithCsKeyword", "!endswith_cs"},
    {"NotHasKeyword", "!has"},
    {"NotHasCsKeyword", "!has_cs"},
    {"NotHasPrefixKeyword", "!hasprefix"},
    {"NotHasPrefixCsKeyword", "!hasprefix_cs"},
    {"NotHasSuffixKeyword", "!hassuffix"},
    {"NotHasSuffixCsKeyword", "!hassuffix_cs"},
    {"NotInKeyword", "!in"},
    {"NotInCsKeyword", "!in~"},
    {"NotLikeKeyword", "notlike"},
    {"NotLikeCsKeyword", "notlikecs"},
    {"NotStartsWithKeyword", "!startswith"},
    {"NotStartsWithCsKeyword", "!startswith_cs"},
    {"NullKeyword", "null", kName},
    {"NullsKeyword", "nulls", kName},
    {"OfKeyword", "of", kExtendedName},
    {"OnKeyword", "on", kName},
    {"OptionalKeyword", "optional", kName},
    {"OrKeyword", "or"},
    {"OrderKeyword", "order", kName},
    {"OthersKeyword", "others"},
    {"OutputKeyword", "output", kName},
    {"PackKeyword", "pack", kName},
    {"ParseKeyword", "parse", kName},
    {"ParseWhereKeyword", "parse-where"},
    {"ParseKvKeyword", "parse-kv"},
    {"PartitionedByKeyword", "partitioned-by"},
    {"PartitionByKeyword", "__partitionby", kName},
    {"PartitionKeyword", "partition", kName},
    {"PathFormatKeyword", "pathformat"},
    {"PatternKeyword", "pattern", kName},
    {"PieChartKeyword", "piechart"},
    {"PivotChartKeyword", "pivotchart"},
    {"PlotlyKeyword", "plotly", kName},
    {"GraphKeyword", "graph", kName},
    {"PrintKeyword", "print", kExtendedName},
    {"ProjectKeyword", "project"},
    {"ProjectAwayKeyword", "project-away"},
    {"ProjectByNamesKeyword", "project-by-names"},
    {"_ProjectAwayKeyword", "__projectAway"},
    {"ProjectKeepKeyword", "project-keep"},
    {"ProjectRenameKeyword", "project-rename"},
    {"ProjectReorderKeyword", "project-reorder"},
    {"ProjectSmartKeyword", "project-smart"},
    {"QueriesKeyword", "queries"},
    {"QueryParametersKeyword", "query_parameters", kName},
    {"QueryResultsKeyword", "query_results"},
    {"RangeKeyword", "range", kName},
    {"ReduceKeyword", "reduce", kName},
    {"RegexKeyword", "regex", kName},
    {"RelaxedKeyword", "relaxed"},
    {"RenderKeyword", "render", kName},
    {"RestrictedViewAccessKeyword", "restricted_view_access"},
    {"RestrictKeyword", "restrict", kName},
    {"RowLevelSecurityKeyword", "row_level_security"},
    {"RowstoreKeyword", "rowstore"},
    {"RowstoreReferencesKeyword", "rowstore_references"},
    {"RowstoreSealInfoKeyword", "rowstore_sealinfo"},
    {"RowstorePolicyKeyword", "rowstorepolicy"},
    {"RowstoresKeyword", "rowstores"},
    {"SampleKeyword", "sample", kExtendedName},
    {"SampleDistinctKeyword", "sample-distinct", kExtendedName},
    {"ScanKeyword", "scan", kName},
    {"ScatterChartKeyword", "scatterchart"},
    {"SealKeyword", "seal"},
    {"SealsKeyword", "seals"},
    {"SearchKeyword", "search", kExtendedName},
    {"SerializeKeyword", "serialize", kName},
    {"SetKeyword", "set", kExtendedName},
    {"SetOrAppendKeyword", "set-or-append"},
    {"SetOrReplaceKeyword", "set-or-replace"},
    {"ShardsKeyword", "shards"},
    {"SimpleKeyword", "simple"},
    {"SoftDeleteKeyword", "softdelete"},
    {"SoftRetentionKeyword", "softretention"},
    {"SortKeyword", "sort", kName},
    {"SqlKeyword", "sql", kExtendedName},
    {"StackedAreaChartKeyword", "stackedareachart"},
    {"StartsWithKeyword", "startswith"},
    {"StartsWithCsKeyword", "startswith_cs"},
    {"StatisticsKeyword", "statistics"},
    {"StepKeyword", "step", kName},
    {"StoredQueryResultContainersKeyword", "storedqueryresultcontainers"},
    {"SummarizeKeyword", "summarize", kName},
    {"TablePurgeKeyword", "tablepurge"},
    {"TakeKeyword", "take", kName},
    {"TimeChartKeyword", "timechart"},
    {"TimelineKeyword", "timeline"},
    {"TimePivotKeyword", "timepivot"},
    {"TitleKeyword", "title", kExtendedName},
    {"ToKeyword", "to", kExtendedName},
    {"TopKeyword", "top", kName},
    {"TopHittersKeyword", "top-hitters", kExtendedName},
    {"TopNestedKeyword", "top-nested", kExtendedName},
    {"ToScalarKeyword", "toscalar", kExtendedName},
    {"ToTableKeyword", "totable", kExtendedName},
    {"TreeMapKeyword", "treemap"},
    {"TypeOfKeyword", "typeof", kName},
    {"UnionKeyword", "union"},
    {"UnrestrictedViewersKeyword", "unrestrictedviewers"},
    {"UuidKeyword", "uuid", kName},
    {"VerboseKeyword", "verbose", kExtendedName},
    {"ViewersKeyword", "viewers", kExtendedName},
    {"ViewKeyword", "view", kName},
    {"ViewsKeyword", "views"},
    {"WhereKeyword", "where", kExtendedName},
    {"WithItemIndexKeyword", "with_itemindex"},
    {"WithKeyword", "with", kName},
    {"WithMatchIdKeyword", "with_match_id"},
    {"With_SourceKeyword", "with_source", kPathName},
    {"WithStepNameKeyword", "with_step_name"},
    {"WithSourceKeyword", "withsource", kPathName},
    {"WithNodeIdKeyword", "with_node_id", kName},
    {"WriteAheadLogKeyword", "writeaheadlog"},
    {"BoolKeyword", "bool", kName},
    {"BooleanKeyword", "boolean"},
    {"Int8Keyword", "int8"},
    {"CharKeyword", "char"},
    {"UInt8Keyword", "uint8"},
    {"ByteKeyword", "byte"},
    {"Int16Keyword", "int16"},
    {"UInt16Keyword", "uint16"},
    {"IntKeyword", "int"},
    {"Int32Keyword", "int32"},
    {"UIntKeyword", "uint"},
    {"UInt32Keyword", "uint32"},
    {"LongKeyword", "long"},
    {"Int64Keyword", "int64"},
    {"ULongKeyword", "ulong"},
    {"UInt64Keyword", "uint64"},
    {"FloatKeyword", "float"},
    {"RealKeyword", "real"},
    {"DecimalKeyword", "decimal"},
    {"DoubleKeyword", "double"},
    {"StringKeyword", "string"},
    {"TimeKeyword", "time"},
    {"TimespanKeyword", "timespan"},
    {"DateKeyword", "date"},
    {"DateTimeKeyword", "datetime"},
    {"GuidKeyword", "guid", kName},
    {"UniqueIdKeyword", "uniqueid"},
    {"DynamicKeyword", "dynamic"},
};
// clang-format on
constexpr std::size_t kRowCount = sizeof(kRows) / sizeof(kRows[0]);
constexpr std::size_t kFirstKeyword = static_cast<std::size_t>(Tok::kUnderCrossCluster);
static_assert(kRows[kFirstKeyword].text == "__crossCluster" &&
              kRowCount == static_cast<std::size_t>(Tok::kDynamic) + 1);

constexpr bool is_word_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

constexpr bool is_word(std::string_view text) { return std::all_of(text.begin(), text.end(), is_word_byte); }

constexpr std::size_t kSlots = 1024;
constexpr std::size_t kLongestWord = 27;

constexpr std::size_t slot_of(std::string_view word) {
  const auto byte = [&](std::size_t at) { return static_cast<unsigned char>(word[at]); };
  const std::size_t last = word.size() - 1;
  return (word.size() * 61 + byte(0) * 7u + byte(word.size() / 2) * 31u + byte(last) * 131u) % kSlots;
}

// Row numbers by hash, the next free slot for a word whose own is taken; 0 is an empty slot.
constexpr std::array<std::uint16_t, kSlots> make_slots() {
  std::array<std::uint16_t, kSlots> slots{};
  for (std::size_t row = kFirstKeyword; row < kRowCount; ++row) {
    if (!is_word(kRows[row].text)) continue;
    std::size_t at = slot_of(kRows[row].text);
    while (slots[at] != 0) at = (at + 1) % kSlots;
    slots[at] = static_cast<std::uint16_t>(row);
  }
  return slots;
}

constexpr std::array<std::uint16_t, kSlots> kSlotRows = make_slots();

constexpr std::size_t count_long() {
  std::size_t count = 0;
  for (std::size_t row = kFirstKeyword; row < kRowCount; ++row) count += is_word(kRows[row].text) ? 0 : 1;
  return count;
}

constexpr std::array<std::uint16_t, count_long()> make_long_rows() {
  std::array<std::uint16_t, count_long()> rows{};
  std::size_t at = 0;
  for (std::size_t row = kFirstKeyword; row < kRowCount; ++row)
    if (!is_word(kRows[row].text)) rows[at++] = static_cast<std::uint16_t>(row);
  return rows;
}

constexpr auto kLongRows = make_long_rows();

}  // namespace

std::string_view token_name(Tok kind) { return kRows[static_cast<std::size_t>(kind)].name; }

std::string_view token_text(Tok kind) { return kRows[static_cast<std::size_t>(kind)].text; }

NameUse name_use(Tok kind) { return kRows[static_cast<std::size_t>(kind)].use; }

Tok find_keyword(std::string_view word) {
  if (word.empty() || word.size() > kLongestWord) return Tok::kIdentifier;
  for (std::size_t at = slot_of(word); kSlotRows[at] != 0; at = (at + 1) % kSlots)
    if (kRows[kSlotRows[at]].text == word) return static_cast<Tok>(kSlotRows[at]);
  return Tok::kIdentifier;
}

Tok find_long_keyword(std::string_view text) {
  std::size_t best = 0;
  for (const std::uint16_t row : kLongRows) {
    const std::string_view word = kRows[row].text;
    if (text.starts_with(word) && (best == 0 || word.size() > kRows[best].text.size())) best = row;
  }
  return best == 0 ? Tok::kIdentifier : static_cast<Tok>(best);
}

}  // namespace micius::kql
