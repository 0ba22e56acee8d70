import Foundation
import Frames
import Host
import Tensors
import TestSupport
import Testing

private func write(_ path: String) throws {
  let file = try HDF5File(creating: path)
  let images = try file.makeDataset(
    "/data/images", element: .uint16, shape: [0, 3, 5], layout: .chunked([1, 3, 5]))
  for frame in 0..<7 {
    try images.append((0..<15).map { UInt16(frame * 1000 + $0) })
  }
  try file.write([1.5, -2.25, .infinity] as [Double], shape: [3], to: "/numbers/reals")
  try file.write(strings: ["run7", "", "µm²"], to: "/names/variable")
  try file.write(strings: ["ab", "abcd"], to: "/names/fixed", byteCount: 4)
  try file.makeGroup("/a/b/c")
  try file.makeSoftLink("/linked/images", to: "/data/images")
  try file.makeSoftLink("/linked/nowhere", to: "/not/there")
  try file.makeSoftLink("/a/b/up", to: "/a")
  try file.setAttribute("experiment", .string("cxitut13"))
  try file.setAttribute("experiment", .string("cxitut15"))
  try file.setAttribute("run", .integer(-42), of: "/data")
  try file.setAttribute("energy_eV", .real(9499.5), of: "/data/images")
  try file.setAttribute("extents", .integers([185, 388]), of: "/data/images")
  try file.setAttribute("keys", .strings(["a", "long one"]), of: "/data/images")
  try file.flush()
  try file.close()
}

@Suite struct HDF5Tests {
  @Test func whatIsWrittenIsReadBack() throws {
    let scratch = Scratch()
    let path = scratch.file("a.h5")
    try write(path)
    let file = try HDF5File(opening: path)
    let images = try file.dataset("/linked/images")
    #expect(images.shape == [7, 3, 5])
    #expect(images.element == .number(.uint16))
    #expect(try images.values(rows: 4..<5, as: UInt16.self) == (0..<15).map { UInt16(4000 + $0) })
    #expect(try images.bytes(row: 6).count == 30)
    #expect(try images.values(as: UInt16.self).count == 105)
    #expect(try images.doubles()[17] == 1002)
    #expect(try file.dataset("/numbers/reals").values(as: Double.self) == [1.5, -2.25, .infinity])
    #expect(try file.dataset("/names/variable").strings() == ["run7", "", "µm²"])
    #expect(try file.dataset("/names/fixed").strings() == ["ab", "abcd"])
    #expect(try file.attribute("experiment") == .string("cxitut15"))
    #expect(try file.attribute("run", of: "/data") == .integer(-42))
    #expect(try file.attribute("energy_eV", of: "/data/images") == .real(9499.5))
    #expect(try file.attribute("extents", of: "/data/images") == .integers([185, 388]))
    #expect(try file.attribute("keys", of: "/data/images") == .strings(["a", "long one"]))
    #expect(try file.attribute("absent") == nil)
    #expect(try file.attributeNames(of: "/data/images") == ["energy_eV", "extents", "keys"])
    #expect(try file.contents(of: "/linked").map(\.kind) == [.dataset, .brokenLink])
    #expect(
      try file.datasetPaths() == ["/data/images", "/linked/images", "/names/fixed", "/names/variable", "/numbers/reals"])
    #expect(try file.kind(of: "/a/b/c") == .group)
    #expect(try file.kind(of: "/a/b/d") == nil)
  }

  @Test func sameWritesGiveTheSameBytesWheneverTheyHappen() throws {
    let scratch = Scratch()
    try write(scratch.file("a.h5"))
    // Object time stamps count whole seconds.
    Thread.sleep(forTimeInterval: 1.1)
    try write(scratch.file("b.h5"))
    #expect(try Checksum.sha256(file: scratch.file("a.h5")) == Checksum.sha256(file: scratch.file("b.h5")))
  }

  @Test func mistakesInTheFileAreTypedErrors() throws {
    let scratch = Scratch()
    let path = scratch.file("a.h5")
    try write(path)
    let file = try HDF5File(opening: path)
    #expect(throws: InputError.self) { try file.dataset("/nothing") }
    #expect(throws: InputError.self) { try file.dataset("/numbers/reals").values(as: Float.self) }
    #expect(throws: InputError.self) { try file.dataset("/names/fixed").bytes() }
    #expect(throws: InputError.self) { try file.contents(of: "/data/images") }
    #expect(throws: InputError.self) { try HDF5File(opening: scratch.file("none.h5")) }
    let text = try scratch.write(Array("not HDF5 at all".utf8), "text.h5")
    #expect(throws: InputError.self) { try HDF5File(opening: text) }
    #expect(throws: InputError.self) { try HDF5File(creating: scratch.file("no/such/folder.h5")) }
  }

  @Test func writtenRowsReplaceWhatWasThere() throws {
    let scratch = Scratch()
    let file = try HDF5File(creating: scratch.file("a.h5"))
    let table = try file.makeDataset("/table", element: .int32, shape: [4, 2], layout: .contiguous)
    try table.write([1, 2, 3, 4] as [Int32], at: 1)
    #expect(try table.values(as: Int32.self) == [0, 0, 1, 2, 3, 4, 0, 0])
  }
}
