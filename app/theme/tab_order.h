#pragma once

class QWidget;

namespace mesh::theme {

// Makes the Tab key follow what is seen: the order of the layouts inside `root`, splitters from
// left to right, scroll areas by what they show. For pages whose widgets are made in another order
// than they stand in. Call again when rows came or went.
void followLayouts(QWidget& root);

} // namespace mesh::theme
