// The tokens of KQL: what they are called and what may be a name.
#pragma once

#include <cstdint>
#include <string_view>

namespace micius::kql {

// A keyword is named after its text: kMvDashExpand is `mv-expand`, kUnderId `__id`. The order is that of the
// tables in token.cc: other tokens, punctuation, keywords.
// clang-format off
enum class Tok : std::uint16_t {
  kEndOfText,
  kBooleanLiteral, kIntLiteral, kLongLiteral, kRealLiteral, kDecimalLiteral, kDateTimeLiteral,
  kTimespanLiteral, kGuidLiteral, kRawGuidLiteral, kStringLiteral, kIdentifier, kDirective, kBad,
  // Punctuation and operators.
  kOpenParen, kCloseParen, kOpenBracket, kCloseBracket, kOpenBrace, kCloseBrace, kBar, kLessThanBar, kPlus,
  kMinus, kAsterisk, kSlash, kPercent, kDot, kDotDot, kBang, kLessThan, kLessThanOrEqual, kGreaterThan,
  kGreaterThanOrEqual, kEqual, kEqualEqual, kBangEqual, kLessThanGreaterThan, kColon, kSemicolon, kComma,
  kEqualTilde, kBangTilde, kAt, kQuestion, kFatArrow,
  // Keywords.
  kUnderCrossCluster, kUnderCrossDB, kUnderId, kUnderIsFuzzy, kUnderNoWithSource, kUnderPackedColumn,
  kUnderSourceColumnIndex, k3DChart, kAccess, kAccumulate, kAlias, kAnd, kAnomalyChart, kAreaChart, kAs,
  kAsc, kAssertSchema, kBagExpansion, kBarChart, kBetween, kBin, kBinLegacy, kBy, kCachingPolicy, kCallout,
  kCancel, kCard, kColumnChart, kCommandsAndQueries, kConsume, kContains, kContainsCs, kContainsUnderCs,
  kContextualDataTable, kCount, kCycles, kDatabase, kDataExport, kDataScope, kDataTable, kDeclare,
  kDecodeBlocks, kDefault, kDesc, kDistinct, kEarliest, kEncodingPolicy, kEndsWith, kEndsWithCs,
  kEntityGroup, kEvaluate, kExecuteAndCache, kExpandOutput, kExtend, kExtentTagsRetention, kExternalData,
  kExternalUnderData, kDataFormat, kInlineExternalTable, kDateTimePattern, kFacet, kFilter, kFind, kFirst,
  kFlags, kFork, kFrom, kGetSchema, kGrannyAsc, kGrannyDesc, kGraphMatch, kGraphShortestPaths, kGraphToTable,
  kGraphEdges, kHardDelete, kHardRetention, kHas, kHasAny, kHasAll, kHasCs, kHasPrefix, kHasPrefixCs,
  kHasSuffix, kHasSuffixCs, kHintDotConcurrency, kHintDotDistribution, kHintDotMaterialized,
  kHintDotNumPartitions, kHintDotShuffleKey, kHintDotSpread, kHintDotRemote, kHintDotStrategy,
  kHintDotProgressiveTop, kHotCache, kId, kIn, kInCs, kInvoke, kIsFuzzy, kBestEffort, kForceRemote, kJoin,
  kJournal, kKind, kLadderChart, kLast, kLatest, kLet, kLike, kLikeCs, kLimit, kLineChart, kLookup,
  kMacroExpand, kMakeGraph, kGraphMarkComponents, kGraphWhereNodes, kGraphWhereEdges, kMakeSeries,
  kMatchesRegex, kMaterialize, kMaterializedViewCombine, kMaterializedViews, kMdm, kMissing, kMvApply,
  kMvDashApply, kMvDashExpand, kMvExpand, kNodes, kNoOptimization, kNotBetween, kNotContains, kNotContainsCs,
  kNotBangContains, kNotBangContainsCs, kNotEndsWith, kNotEndsWithCs, kNotHas, kNotHasCs, kNotHasPrefix,
  kNotHasPrefixCs, kNotHasSuffix, kNotHasSuffixCs, kNotIn, kNotInCs, kNotLike, kNotLikeCs, kNotStartsWith,
  kNotStartsWithCs, kNull, kNulls, kOf, kOn, kOptional, kOr, kOrder, kOthers, kOutput, kPack, kParse,
  kParseWhere, kParseKv, kPartitionedBy, kPartitionBy, kPartition, kPathFormat, kPattern, kPieChart,
  kPivotChart, kPlotly, kGraph, kPrint, kProject, kProjectAway, kProjectByNames, kUnderProjectAway,
  kProjectKeep, kProjectRename, kProjectReorder, kProjectSmart, kQueries, kQueryParameters, kQueryResults,
  kRange, kReduce, kRegex, kRelaxed, kRender, kRestrictedViewAccess, kRestrict, kRowLevelSecurity, kRowstore,
  kRowstoreReferences, kRowstoreSealInfo, kRowstorePolicy, kRowstores, kSample, kSampleDistinct, kScan,
  kScatterChart, kSeal, kSeals, kSearch, kSerialize, kSet, kSetOrAppend, kSetOrReplace, kShards, kSimple,
  kSoftDelete, kSoftRetention, kSort, kSql, kStackedAreaChart, kStartsWith, kStartsWithCs, kStatistics,
  kStep, kStoredQueryResultContainers, kSummarize, kTablePurge, kTake, kTimeChart, kTimeline, kTimePivot,
  kTitle, kTo, kTop, kTopHitters, kTopNested, kToScalar, kToTable, kTreeMap, kTypeOf, kUnion,
  kUnrestrictedViewers, kUuid, kVerbose, kViewers, kView, kViews, kWhere, kWithItemIndex, kWith,
  kWithMatchId, kWithUnderSource, kWithStepName, kWithSource, kWithNodeId, kWriteAheadLog, kBool, kBoolean,
  kInt8, kChar, kUInt8, kByte, kInt16, kUInt16, kInt, kInt32, kUInt, kUInt32, kLong, kInt64, kULong, kUInt64,
  kFloat, kReal, kDecimal, kDouble, kString, kTime, kTimespan, kDate, kDateTime, kGuid, kUniqueId, kDynamic,
};
// clang-format on

struct Token {
  std::uint32_t offset = 0;  // bytes from the start of the text
  std::uint32_t length = 0;  // bytes
  Tok kind = Tok::kEndOfText;
  bool glued = false;  // nothing stands between it and the token before

  std::uint32_t end() const { return offset + length; }
};

// Where a keyword is a name without brackets: `['where']` is one everywhere.
enum class NameUse : std::uint8_t {
  kNoName,
  kName,          // wherever a name may stand: `count`
  kExtendedName,  // only where a name is declared: `extend where = 1`
  kPathName,      // only where a column or table is read: `kind`
};

// The name that Microsoft's lexer has for the kind: "IdentifierToken", "WhereKeyword".
std::string_view token_name(Tok kind);
// The text of a keyword or punctuation; "" for a kind that has no text of its own.
std::string_view token_text(Tok kind);
NameUse name_use(Tok kind);
inline bool is_keyword(Tok kind) { return kind >= Tok::kUnderCrossCluster; }

// The keyword that `word` is, or kIdentifier. Keywords have case: `WHERE` is none.
Tok find_keyword(std::string_view word);
// The longest keyword of several words ("mv-expand", "in~", "!has", "matches regex") that `text` begins with,
// or kIdentifier.
Tok find_long_keyword(std::string_view text);

}  // namespace micius::kql
