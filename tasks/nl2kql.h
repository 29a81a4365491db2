// The tasks `nl2kql` and `nl2kql-public`: a request in plain words, one KQL query as the answer.
#pragma once

#include "core/task.h"

namespace micius {

// The prompt, with the context that the task's name says (`nl2kql:none`, `nl2kql`, `nl2kql:gold`):
//
//   Write one Kusto (KQL) query for the request. Answer with the query only.
//
//   cluster("fleetnet").database("fabric").SyslogData(TIMESTAMP:datetime, Device:string, ...)
//   ...
//
//   Request: QUESTION
//
//   none     no context, to compare in kind with the paper
//   budget   lines of tables up to 12,000 bytes: those of the reference always, then tables with columns of
//            the same names, then those of the same database, then by BM25 with the question; in an order
//            drawn by the case's id. Tables are whole or not there.
//   gold     the tables of the reference alone
//
// `nl2kql-public` reads nl2kql/{pairs.jsonl,schemas.json} of the data folder; a sample sees tables of its own
// database, and none where the schemas are not there. Shots are the first `dev` cases of the request's group,
// without context of their own; the public task has none. All throw Error{kUsage} for a parameter (there is
// none); those of the suite Error{kNotFound} without its catalog.json.
Task make_nl2kql(const TaskOptions& options);
Task make_nl2kql_none(const TaskOptions& options);
Task make_nl2kql_gold(const TaskOptions& options);
Task make_nl2kql_public(const TaskOptions& options);
Task make_nl2kql_public_none(const TaskOptions& options);
Task make_nl2kql_public_gold(const TaskOptions& options);

}  // namespace micius
