/// Are two tiles of this picture exchanged? What remains: a mask that differs from tile to tile shows which two were compared, not whether they moved.
/// Source of the change: `TileSwap`, which is an augmentation of other recipes under the same name.
public typealias WhichTileOrder = GradedQuestion<TileSwap>
