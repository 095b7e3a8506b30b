/* SPDX-License-Identifier: MIT */
/* attribution.h - which columns made a classifier say what it says of a row.
 *
 * Along the path of a row through a tree, each split takes what the tree would answer, were it
 * asked there, from the mean over all samples that came by to the mean over those that went the
 * row's way. The change is credited to the column of the split (Saabas, Interpreting random
 * forests, 2014). Credits of all columns and trees add up to the row's answer less the forest's
 * mean.
 *
 * A file has no means of inner nodes, only leaves and how many samples came by: the mean of a node
 * is worked out of all leaves below it, so a tree is read as a whole. Of a large forest a part of
 * the trees is read, evenly spread, and stands for all; what is told of it has to be quick. */
#pragma once

#include <stdint.h>

#include "model/forest.h"

#define ATTRIBUTION_NODES 65536 /* read at most; a tree for which there is no room is left out */

/* credit[column] is by how much the splits on it have raised the mean over the trees of leaf value
 * number `output`; columns are from 0 to width - 1. The row is as the trees see it. Returns of how
 * many trees: 0 says that all are too large. */
uint32_t attribution(const struct forest *forest, const float *row, uint32_t output,
                     double *credit);
