import time
import unittest

from django.test import SimpleTestCase, TestCase

from shop.models import Item


class AllTest(unittest.TestCase):
    def test_pass(self):
        self.assertTrue(True)

    def test_fail(self):
        self.assertEqual(1, 2, "not the same")

    def test_error(self):
        raise ValueError("broken")

    @unittest.skip("not here")
    def test_skip(self):
        raise AssertionError

    def test_skip_inside(self):
        self.skipTest("not now")

    @unittest.expectedFailure
    def test_xfail(self):
        self.assertTrue(False)

    @unittest.expectedFailure
    def test_xpass(self):
        self.assertTrue(True)

    def test_subtests(self):
        for number in range(3):
            with self.subTest(number=number):
                self.assertNotEqual(number, 1)

    def test_subtests_pass(self):
        for number in range(3):
            with self.subTest(number=number):
                self.assertGreaterEqual(number, 0)

    def test_slow(self):
        while True:
            try:
                time.sleep(30)
            except Exception:
                print("a retry that swallows what it can")


class Outer:
    class InnerTest(unittest.TestCase):
        def test_pass(self):
            self.assertTrue(True)


Inner = Outer.InnerTest


class AsyncTest(unittest.IsolatedAsyncioTestCase):
    async def test_pass(self):
        self.assertTrue(True)


class SetUpTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        raise RuntimeError("no database")

    def test_pass(self):
        self.assertTrue(True)


class ItemTest(TestCase):
    @classmethod
    def setUpTestData(cls):
        cls.item = Item.objects.create(name="tea")

    def test_it_is_there(self):
        self.assertEqual(Item.objects.get().name, "tea")

    def test_it_is_gone(self):
        self.item.delete()
        self.assertEqual(Item.objects.count(), 0)


class PageTest(SimpleTestCase):
    def test_no_such_page(self):
        self.assertEqual(self.client.get("/nowhere/").status_code, 404)
