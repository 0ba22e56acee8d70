import Corpora
import Testing

struct CSVTableTests {
  @Test func quotesAndLineEndsAreUnderstood() throws {
    let table = try CSVTable("a,b\r\n1,\"x,\"\"y\"\"\nz\"\n\n2,\n", path: "t")
    #expect(table.header == ["a", "b"])
    #expect(table.rows == [["1", "x,\"y\"\nz"], ["2", ""]])
  }

  @Test func fieldsSurviveWriting() throws {
    let fields = ["plain", "with,comma", "with \"quotes\"", "two\nlines", ""]
    let text = CSVTable.line(["a", "b", "c", "d", "e"]) + CSVTable.line(fields)
    #expect(try CSVTable(text, path: "t").rows == [fields])
  }

  @Test(arguments: ["", "a,b\n1\n", "a,b\n1,2,3\n", "a,b\n1,\"2\n", "a,a\n1,2\n"])
  func brokenTablesAreErrors(text: String) {
    #expect(inputError { _ = try CSVTable(text, path: "t.csv") }?.path == "t.csv")
  }
}
