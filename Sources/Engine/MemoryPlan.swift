/// Where each buffer lies in one arena: buffers whose lifetimes do not overlap share bytes.
struct MemoryPlan {
  struct Request {
    let byteCount: Int
    /// The first and last step that touches the buffer.
    let lifetime: ClosedRange<Int>
  }

  let offsets: [Int]
  let byteCount: Int

  /// Largest first, each at the lowest offset that is free for its whole lifetime. Cost: quadratic in the number of buffers.
  init(_ requests: [Request], alignment: Int = 4096) {
    var offsets = [Int](repeating: 0, count: requests.count), placed: [Int] = [], total = 0
    for index in requests.indices.sorted(by: { (requests[$0].byteCount, $1) > (requests[$1].byteCount, $0) }) {
      let request = requests[index], size = (request.byteCount + alignment - 1) / alignment * alignment
      let neighbours = placed.filter { requests[$0].lifetime.overlaps(request.lifetime) }.sorted { offsets[$0] < offsets[$1] }
      var offset = 0
      for other in neighbours {
        let otherSize = (requests[other].byteCount + alignment - 1) / alignment * alignment
        if offsets[other] >= offset + size { break }
        offset = max(offset, offsets[other] + otherSize)
      }
      offsets[index] = offset
      total = max(total, offset + size)
      placed.append(index)
    }
    self.offsets = offsets
    byteCount = total
  }
}
