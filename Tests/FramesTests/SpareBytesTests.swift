import Frames
import Testing

/// What a reader of frames never asks for must not stay in memory.
@Test func onlyArraysThatAreAskedForAreKept() {
  let spare = SpareBytes(limit: 2)
  spare.keep([1, 2, 3])
  #expect(spare.take(3) == nil, "nobody had asked for three")
  for number in [1, 2, 3] as [UInt8] { spare.keep([number, number, number]) }
  spare.keep([4, 4])
  #expect(spare.take(3) == [2, 2, 2] && spare.take(3) == [1, 1, 1] && spare.take(3) == nil)
  spare.keep([5, 5, 5])
  #expect(spare.take(2) == nil && spare.take(3) == nil, "another size lets the others go")
}
